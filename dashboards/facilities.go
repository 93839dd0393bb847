package dashboards

import (
	"context"
	"fmt"
	"sort"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
)

// facilityItem is a facility with its state.
type facilityItem struct {
	registry.Facility
	State    string  `json:"state" enum:"ok,faulty,unknown"`
	LastSeen *string `json:"last_seen"`
}

func (s *Server) item(f registry.Facility) facilityItem {
	facts, _ := s.opt.State.Inspect(f.ID)
	return facilityItem{f, state(facts), s.instant(facts.Seen)}
}

// state is unknown for what has not been heard of: never "ok".
func state(f rules.Facts) string {
	switch {
	case f.Seen == 0 || f.Silent:
		return "unknown"
	case f.Faulty:
		return "faulty"
	}
	return "ok"
}

type page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next" doc:"cursor of the next page, null on the last"`
	Total *int    `json:"total,omitempty"`
}

func (s *Server) facilities(ctx context.Context, in *struct {
	Kind   string `query:"kind"`
	Area   string `query:"area"`
	Q      string `query:"q" maxLength:"100"`
	Cursor string `query:"cursor" maxLength:"64"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}) (*struct{ Body page[facilityItem] }, error) {
	fs, total, err := s.opt.Census.List(ctx, registry.Filter{Kind: in.Kind, Area: devices.AreaCode(in.Area), Query: in.Q, After: devices.FacilityID(in.Cursor), Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := page[facilityItem]{Items: []facilityItem{}, Total: &total}
	for _, f := range fs {
		out.Items = append(out.Items, s.item(f))
	}
	if len(fs) == in.Limit {
		next := string(fs[len(fs)-1].ID)
		out.Next = &next
	}
	return &struct{ Body page[facilityItem] }{out}, nil
}

type byID struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) facility(ctx context.Context, in *byID) (*struct{ Body facilityItem }, error) {
	f, err := s.opt.Census.Facility(ctx, devices.FacilityID(in.ID))
	if err != nil {
		return nil, err
	}
	return &struct{ Body facilityItem }{s.item(f)}, nil
}

type latestValue struct {
	Channel string        `json:"channel"`
	Unit    string        `json:"unit"`
	Title   devices.Title `json:"title"`
	V       float64       `json:"v"`
	T       *string       `json:"t"`
	AgeMS   int64         `json:"age_ms"`
	Stale   bool          `json:"stale" doc:"older than the device's own interval allows: not the state of now"`
}

// staleAfter is when a value of a device without a known interval is stale.
const staleAfter = 15 * time.Minute

func (s *Server) latest(ctx context.Context, in *byID) (*struct {
	Body struct {
		Values []latestValue `json:"values"`
	}
}, error) {
	f, err := s.opt.Census.Facility(ctx, devices.FacilityID(in.ID))
	if err != nil {
		return nil, err
	}
	m, err := s.opt.Querier.Latest(ctx, []string{in.ID})
	if err != nil {
		return nil, err
	}
	stale := staleAfter.Milliseconds()
	if f.ExpectS > 0 {
		stale = 3 * 1000 * f.ExpectS
	}
	out := &struct {
		Body struct {
			Values []latestValue `json:"values"`
		}
	}{}
	out.Body.Values = []latestValue{}
	now := s.opt.Now().UnixMilli()
	for name, p := range m[in.ID] {
		v := latestValue{Channel: name, V: p.V, T: s.instant(p.T), AgeMS: max(0, now-p.T), Stale: now-p.T > stale}
		if c := s.opt.Dict.Lookup([]byte(name)); c != nil {
			v.Unit, v.Title = c.Unit, c.Title
		}
		out.Body.Values = append(out.Body.Values, v)
	}
	sort.Slice(out.Body.Values, func(i, j int) bool { return out.Body.Values[i].Channel < out.Body.Values[j].Channel })
	return out, nil
}

type point struct {
	T string  `json:"t"`
	V float64 `json:"v"`
}

type readingsOutput struct {
	Body struct {
		Channel string  `json:"channel"`
		Unit    string  `json:"unit"`
		Points  []point `json:"points"`
	}
}

func (s *Server) readings(ctx context.Context, in *struct {
	ID      string    `path:"id" maxLength:"64"`
	Channel string    `query:"channel" required:"true" maxLength:"64"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Limit   int       `query:"limit" default:"2000" minimum:"1" maximum:"100000"`
}) (*readingsOutput, error) {
	if in.To.IsZero() {
		in.To = s.opt.Now()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-time.Hour)
	}
	if in.From.After(in.To) {
		return nil, fmt.Errorf("from lies after to: %w", devices.ErrInvalid)
	}
	pts, err := s.opt.Querier.Range(ctx, in.ID, in.Channel, in.From.UnixMilli(), in.To.UnixMilli(), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &readingsOutput{}
	out.Body.Channel, out.Body.Points = in.Channel, make([]point, 0, len(pts))
	if c := s.opt.Dict.Lookup([]byte(in.Channel)); c != nil {
		out.Body.Unit = c.Unit
	}
	for _, p := range pts {
		out.Body.Points = append(out.Body.Points, point{*s.instant(p.T), p.V})
	}
	return out, nil
}

func (s *Server) seen(context.Context, *struct{}) (*struct{ Body page[registry.Seen] }, error) {
	return &struct{ Body page[registry.Seen] }{page[registry.Seen]{Items: s.opt.Census.SeenList()}}, nil
}

func (s *Server) password(ctx context.Context, in *byID) (*struct {
	Body struct {
		Password string `json:"password" doc:"shown this once"`
	}
}, error) {
	if !s.opt.Census.Known(devices.DeviceID(in.ID)) {
		return nil, fmt.Errorf("device %s: %w", in.ID, devices.ErrNotFound)
	}
	p, err := s.opt.Census.NewPassword(ctx, caller(ctx).Name, devices.DeviceID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Password string `json:"password" doc:"shown this once"`
		}
	}{}
	out.Body.Password = p
	return out, nil
}
