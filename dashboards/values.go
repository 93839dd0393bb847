package dashboards

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// latestValue is the newest value of a channel.
type latestValue struct {
	Channel string        `json:"channel"`
	Unit    string        `json:"unit"`
	Title   devices.Title `json:"title"`
	V       float64       `json:"v" doc:"true and false are 1 and 0; of a text channel always 1"`
	Text    string        `json:"text,omitempty" doc:"of a text channel"`
	T       *string       `json:"t"`
	AgeMS   int64         `json:"age_ms"`
	Stale   bool          `json:"stale" doc:"older than three intervals (15 minutes where none is known): not the state of now"`
	EveryS  float64       `json:"interval_s" doc:"the interval in seconds that it is judged by: the device's, or the channel's own where that is longer; 0: none is known"`
}

const (
	staleAfter = 15 * time.Minute // a value of a device without a known interval is stale
	missed     = 3                // intervals without a value that make one stale
)

type latestBody struct {
	Values []latestValue `json:"values"`
}

func (s *Server) latest(ctx context.Context, in *byID) (*struct{ Body latestBody }, error) {
	f, err := s.opt.Census.Facility(ctx, devices.FacilityID(in.ID))
	if err != nil {
		return nil, err
	}
	m, err := s.newest(ctx, []string{in.ID})
	if err != nil {
		return nil, err
	}
	vs, err := s.values(ctx, &f, m[in.ID])
	return &struct{ Body latestBody }{latestBody{vs}}, err
}

// newest asks the store.
func (s *Server) newest(ctx context.Context, ids []string) (map[string]map[string]Point, error) {
	m, err := s.opt.Querier.Latest(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	return m, nil
}

// values is what f said last, each judged by how often it comes.
func (s *Server) values(ctx context.Context, f *registry.Facility, newest map[string]Point) ([]latestValue, error) {
	now := s.opt.Now().UnixMilli()
	out := make([]latestValue, 0, len(newest))
	for name, p := range newest {
		v := latestValue{Channel: name, V: p.V, Text: p.Text, T: s.instant(p.T), AgeMS: max(0, now-p.T)}
		if c := s.opt.Dict.Lookup([]byte(name)); c != nil {
			v.Unit, v.Title = c.Unit, c.Title
		}
		v.judge(float64(f.ExpectS))
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b latestValue) int { return cmp.Compare(a.Channel, b.Channel) })
	return out, s.rarer(ctx, f.ID, out, newest)
}

// judge tells whether the value is stale by an interval in seconds, 0 = none.
func (v *latestValue) judge(every float64) {
	v.EveryS, v.Stale = every, v.AgeMS > staleAfter.Milliseconds()
	if every > 0 {
		v.Stale = float64(v.AgeMS) > missed*every*second
	}
}

// latestItem is the newest values of one of many facilities.
type latestItem struct {
	Facility string        `json:"facility"`
	Values   []latestValue `json:"values"`
}

type latestOfManyBody struct {
	Items   []latestItem `json:"items" doc:"in the order of ids"`
	Unknown []string     `json:"unknown" doc:"ids that the census does not have"`
}

// maxIDs bounds how many facilities are asked for at once.
const maxIDs = 500

func (s *Server) latestOfMany(ctx context.Context, in *struct {
	IDs []string `query:"ids" required:"true" doc:"facility ids with commas between, at most 500" example:"MH-1,MH-2"`
}) (*struct{ Body latestOfManyBody }, error) {
	ids, err := facilityIDs(in.IDs)
	if err != nil {
		return nil, err
	}
	out := latestOfManyBody{Items: []latestItem{}, Unknown: []string{}}
	var known []registry.Facility
	var ask []string
	for _, id := range ids {
		f, err := s.opt.Census.Facility(ctx, id)
		if errors.Is(err, devices.ErrNotFound) {
			out.Unknown = append(out.Unknown, string(id))
			continue
		}
		if err != nil {
			return nil, err
		}
		known, ask = append(known, f), append(ask, string(id))
	}
	if len(ask) == 0 {
		return &struct{ Body latestOfManyBody }{out}, nil
	}
	m, err := s.newest(ctx, ask)
	if err != nil {
		return nil, err
	}
	for i := range known {
		vs, err := s.values(ctx, &known[i], m[ask[i]])
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, latestItem{ask[i], vs})
	}
	return &struct{ Body latestOfManyBody }{out}, nil
}

// facilityIDs checks ids before they come near a query; twice the same is once.
func facilityIDs(list []string) ([]devices.FacilityID, error) {
	var out []devices.FacilityID
	for _, x := range list {
		id, err := devices.ParseFacilityID(strings.TrimSpace(x))
		if err != nil {
			return nil, invalid("query.ids", "%s", err)
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	if len(out) == 0 || len(out) > maxIDs {
		return nil, invalid("query.ids", "%d ids: want 1 to %d", len(out), maxIDs)
	}
	return out, nil
}

// point is a stored value.
type point struct {
	T    string  `json:"t" doc:"RFC 3339"`
	V    float64 `json:"v" doc:"true and false are 1 and 0; of a text channel always 1"`
	Text string  `json:"text,omitempty" doc:"of a text channel"`
}

type readingsBody struct {
	Channel string  `json:"channel"`
	Unit    string  `json:"unit"`
	Points  []point `json:"points" doc:"oldest first; when there are more than limit, the newest"`
}

func (s *Server) readings(ctx context.Context, in *struct {
	ID      string    `path:"id" maxLength:"64"`
	Channel string    `query:"channel" required:"true" maxLength:"64" doc:"name or alias"`
	From    time.Time `query:"from" doc:"an hour before to if not given"`
	To      time.Time `query:"to" doc:"now if not given"`
	Limit   int       `query:"limit" default:"2000" minimum:"1" maximum:"100000"`
}) (*struct{ Body readingsBody }, error) {
	if _, err := devices.ParseFacilityID(in.ID); err != nil {
		return nil, invalid("path.id", "%s", err)
	}
	from, to, err := s.span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	body := readingsBody{Channel: in.Channel}
	if c := s.opt.Dict.Lookup([]byte(in.Channel)); c != nil {
		body.Channel, body.Unit = c.Name, c.Unit
	}
	pts, err := s.opt.Querier.Range(ctx, in.ID, body.Channel, from.UnixMilli(), to.UnixMilli(), in.Limit)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	if len(pts) == 0 { // of what has left the census the past can still be read
		if _, err := s.opt.Census.Facility(ctx, devices.FacilityID(in.ID)); err != nil {
			return nil, err
		}
	}
	body.Points = make([]point, 0, len(pts))
	for _, p := range pts {
		body.Points = append(body.Points, point{*s.instant(p.T), p.V, p.Text})
	}
	return &struct{ Body readingsBody }{body}, nil
}
