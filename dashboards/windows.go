package dashboards

import (
	"context"
	"errors"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// windowItem is a maintenance window.
type windowItem struct {
	WindowScope
	ID      string  `json:"id"`
	From    *string `json:"from"`
	To      *string `json:"to" doc:"not included"`
	Reason  string  `json:"reason"`
	By      string  `json:"by"`
	MadeAt  *string `json:"made_at"`
	EndedAt *string `json:"ended_at" doc:"when it was ended early; null = it was not"`
	EndedBy string  `json:"ended_by"`
	State   string  `json:"state" enum:"waiting,now,over"`
	Sent    bool    `json:"sent" doc:"the rules obey it: it stands in the log"`
}

// WindowScope is what a window names: all that is given must fit.
type WindowScope struct {
	Facility string `json:"facility,omitempty" maxLength:"64"`
	Cabinet  string `json:"cabinet,omitempty" maxLength:"64" doc:"what hangs on it, and the tickets of the cabinet and its circuits"`
	Circuit  string `json:"circuit,omitempty" maxLength:"64" doc:"one circuit of the cabinet"`
	Feeder   string `json:"feeder,omitempty" maxLength:"100" doc:"what it supplies, and the tickets of the feeder"`
	Area     string `json:"area,omitempty" maxLength:"15" pattern:"^[0-9]*$" doc:"an area code: the area and all that lies in it"`
	Kind     string `json:"kind,omitempty" enum:"manhole,streetlight,bridge"`
	Rule     string `json:"rule,omitempty" maxLength:"48" doc:"only what this rule finds"`
}

func (s *Server) windowItem(w *tickets.ListedWindow) windowItem {
	now, state := s.opt.Now().UnixMilli(), "now"
	switch {
	case w.EndedAt != 0 || w.To <= now:
		state = "over"
	case w.From > now:
		state = "waiting"
	}
	return windowItem{WindowScope{string(w.Facility), w.Cabinet, w.Circuit, w.Feeder, string(w.Area), w.Kind, w.Rule}, w.ID,
		s.instant(w.From), s.instant(w.To), w.Reason, w.By, s.instant(w.MadeAt), s.instant(w.EndedAt), w.EndedBy, state, w.Sent}
}

func windowSorts() sorts[tickets.ListedWindow] {
	return sorts[tickets.ListedWindow]{
		{"from", "begins", true, func(w *tickets.ListedWindow) any { return w.From }},
		{"to", "ends", true, func(w *tickets.ListedWindow) any { return w.To }},
	}
}

func (s *Server) windows(ctx context.Context, in *struct {
	Paging
	State    string `query:"state" enum:"waiting,now,over"`
	Facility string `query:"facility" maxLength:"64" doc:"only those that name this facility, or what it hangs on and lies in"`
}) (*listed[windowItem], error) {
	t, err := windowSorts().begin(in.Paging, keyOf[tickets.ListedWindow]{"id", func(w *tickets.ListedWindow) any { return w.ID }})
	if err != nil {
		return nil, err
	}
	f := tickets.WindowFilter{State: in.State, Order: t.order, Limit: t.limit}
	if in.Facility != "" {
		x, err := s.opt.Census.Facility(ctx, devices.FacilityID(in.Facility))
		if err != nil {
			return nil, err
		}
		feeder, err := s.feederOf(ctx, &x)
		if err != nil {
			return nil, err
		}
		f.At = &tickets.Spot{Facility: x.ID, Cabinet: x.Cabinet, Circuit: x.Circuit, Feeder: feeder, Area: x.Area, Kind: x.Kind}
	}
	ws, err := s.opt.Windows.List(ctx, f)
	if err != nil {
		return nil, err
	}
	items := make([]windowItem, 0, len(ws))
	for i := range ws {
		items = append(items, s.windowItem(&ws[i]))
	}
	return answer(ctx, items, t.next(ws), nil), nil
}

type addWindowInput struct {
	Body struct {
		WindowScope
		From   time.Time `json:"from,omitempty" doc:"now if not given or past"`
		To     time.Time `json:"to" doc:"at most 30 days later"`
		Reason string    `json:"reason" minLength:"1" maxLength:"500"`
		Name   string    `json:"name,omitempty" maxLength:"64" doc:"who works there; the caller if not given"`
	}
}

type windowOutput struct{ Body windowItem }

func (s *Server) addWindow(ctx context.Context, in *addWindowInput) (*windowOutput, error) {
	b, now := &in.Body, s.opt.Now()
	w := rules.Window{ID: "new", Facility: devices.FacilityID(b.Facility), Cabinet: b.Cabinet, Circuit: b.Circuit, Feeder: b.Feeder, Area: devices.AreaCode(b.Area), Kind: b.Kind, Rule: b.Rule,
		From: unix(b.From), To: unix(b.To), Reason: b.Reason, By: b.Name}
	w.From = max(w.From, now.UnixMilli()) // what has opened before has opened
	if w.By == "" {
		w.By = caller(ctx).Name
	}
	if w.To <= now.UnixMilli() {
		return nil, invalid("body.to", "the window is over already: it ends at %s", *s.instant(w.To))
	}
	if field, err := w.Check(); err != nil {
		if field == "by" {
			field = "name" // as this body calls it
		}
		return nil, invalid("body."+field, "%v", err)
	}
	if err := s.nameable(ctx, &w); err != nil {
		return nil, err
	}
	x, err := s.opt.Windows.Add(ctx, w)
	if err != nil {
		return nil, err
	}
	s.audit(ctx, "window made").Str("window", x.ID).Str("reason", x.Reason).Msg("audit")
	return &windowOutput{s.windowItem(&x)}, nil
}

// feederOf is what supplies a facility: its own feeder, else that of its
// cabinet's row.
func (s *Server) feederOf(ctx context.Context, f *registry.Facility) (string, error) {
	if f.Feeder != "" || f.Cabinet == "" {
		return f.Feeder, nil
	}
	c, err := s.opt.Census.Facility(ctx, devices.FacilityID(f.Cabinet))
	if errors.Is(err, devices.ErrNotFound) {
		return "", nil
	}
	return c.Feeder, err
}

// nameable refuses a window that names what the census does not have, or places
// that have no facility in common: it would keep nothing back, and nobody would
// notice. An area of the grid may be empty as yet.
func (s *Server) nameable(ctx context.Context, w *rules.Window) error {
	all := registry.Filter{ID: w.Facility, Kind: w.Kind, Area: w.Area, Cabinet: w.Cabinet, Circuit: w.Circuit, Feeder: w.Feeder}
	places := 0
	for _, x := range []struct {
		field, found, wanted string
		given                bool
		filter               registry.Filter
	}{
		{"facility", string(w.Facility), "the id of a facility of the census, as GET /api/v1/facilities has it", w.Facility != "", registry.Filter{ID: w.Facility}},
		{"cabinet", w.Cabinet, "a cabinet that facilities of the census hang on, as their column cabinet names it; for a cabinet's own row take facility", w.Cabinet != "", registry.Filter{Cabinet: w.Cabinet}},
		{"circuit", w.Circuit, "a circuit of cabinet " + w.Cabinet + ", as the column circuit of its facilities names it", w.Circuit != "", registry.Filter{Cabinet: w.Cabinet, Circuit: w.Circuit}},
		{"feeder", w.Feeder, "a feeder, as the column feeder of facilities or of their cabinet's row names it", w.Feeder != "", registry.Filter{Feeder: w.Feeder}},
		{"area", string(w.Area), "the code of an area of the grid, as GET /api/v1/areas has it, or one in which facilities lie", w.Area != "", registry.Filter{Area: w.Area}},
	} {
		if !x.given {
			continue
		}
		if x.field != "circuit" {
			places++
		}
		n, err := s.opt.Census.Count(ctx, x.filter)
		if err != nil {
			return err
		}
		if n == 0 && x.field == "area" {
			_, err := s.opt.Census.Area(ctx, w.Area)
			if err == nil {
				continue
			}
			if !errors.Is(err, devices.ErrNotFound) {
				return err
			}
		}
		if n == 0 {
			return unknownPlace("body."+x.field, "found %s, which the census does not have; want %s", x.found, x.wanted)
		}
	}
	if places > 1 || places == 1 && w.Kind != "" {
		n, err := s.opt.Census.Count(ctx, all)
		if err != nil {
			return err
		}
		if n == 0 {
			return unknownPlace("body", "found a window for no facility: each place that it names has some, and none is in all of them; want places that have one in common")
		}
	}
	return s.ruled(ctx, w, all, places)
}

// ruled refuses a window for a rule that is not there, or that judges none of the
// facilities in the places that it names.
func (s *Server) ruled(ctx context.Context, w *rules.Window, all registry.Filter, places int) error {
	if w.Rule == "" {
		return nil
	}
	var kinds []devices.Kind
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		if w.Kind != "" && w.Kind != k.String() {
			continue
		}
		if all.Kind = k.String(); places > 0 {
			n, err := s.opt.Census.Count(ctx, all)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
		}
		kinds = append(kinds, k)
	}
	if wrong := s.opt.State.Rules().Stranger(w.Rule, kinds...); wrong != "" {
		p := invalid("body.rule", "%s", wrong)
		p.Cure = "take the rule's name from its file, or from a ticket of it (defect), and send the request again; without a rule the window is for all of them"
		return p
	}
	return nil
}

// unknownPlace is a window that names what is not there.
func unknownPlace(field, format string, args ...any) *Problem {
	p := invalid(field, format, args...)
	p.Cure = "look it up in the census, or import it first, and send the request again"
	return p
}

func (s *Server) endWindow(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"32"`
}) (*windowOutput, error) {
	w, err := s.opt.Windows.End(ctx, in.ID, caller(ctx).Name)
	if err != nil {
		return nil, err
	}
	s.audit(ctx, "window ended").Str("window", w.ID).Msg("audit")
	return &windowOutput{s.windowItem(&w)}, nil
}
