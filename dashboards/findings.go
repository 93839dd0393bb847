package dashboards

import (
	"context"
	"errors"
	"net/http"
	"time"

	"lamplighter/devices"
	"lamplighter/rules/lighting"
)

// findingItem is what a person has found wrong with a lamp.
type findingItem struct {
	ID       int64   `json:"id"`
	Facility string  `json:"facility"`
	Defect   string  `json:"defect"`
	FoundAt  *string `json:"found_at"`
	EndedAt  *string `json:"ended_at" doc:"null while it lasts; found_at if it was withdrawn"`
	Note     string  `json:"note"`
	By       string  `json:"by"`
	MadeAt   *string `json:"made_at"`
	EndedBy  string  `json:"ended_by"`
	EndNote  string  `json:"end_note"`
}

func (s *Server) findingItem(f *lighting.Finding) findingItem {
	return findingItem{f.ID, string(f.Facility), f.Defect, s.instant(f.FoundAt), s.instant(f.EndedAt), f.Note, f.By, s.instant(f.MadeAt), f.EndedBy, f.EndNote}
}

func findingSorts() sorts[lighting.Finding] {
	return sorts[lighting.Finding]{
		{"id", "id", true, func(f *lighting.Finding) any { return f.ID }},
		{"found_at", "found_at", true, func(f *lighting.Finding) any { return f.FoundAt }},
	}
}

func (s *Server) findings(ctx context.Context, in *struct {
	Paging
	Facility string `query:"facility" maxLength:"64"`
	Open     bool   `query:"open" doc:"only those that last"`
}) (*listed[findingItem], error) {
	t, err := findingSorts().begin(in.Paging, keyOf[lighting.Finding]{"id", func(f *lighting.Finding) any { return f.ID }})
	if err != nil {
		return nil, err
	}
	fs, err := s.opt.Lighting.Findings(ctx, lighting.FindingFilter{Facility: devices.FacilityID(in.Facility), Open: in.Open, Order: t.order, Limit: t.limit})
	if err != nil {
		return nil, err
	}
	items := make([]findingItem, 0, len(fs))
	for i := range fs {
		items = append(items, s.findingItem(&fs[i]))
	}
	return answer(ctx, items, t.next(fs), nil), nil
}

// findingProblem names the field that was refused, and what can be done with what is
// over.
func findingProblem(err error) error {
	var r *lighting.Refused
	var o *lighting.Over
	switch {
	case errors.As(err, &r):
		return invalid("body."+r.Field, "%v", err)
	case errors.As(err, &o):
		p := problemOf(http.StatusConflict, "conflict", o.What)
		p.Cure = o.Cure
		return p
	}
	return err
}

type findingOutput struct{ Body findingItem }

func (s *Server) addFinding(ctx context.Context, in *struct {
	Body struct {
		Facility string    `json:"facility" maxLength:"64"`
		Defect   string    `json:"defect" pattern:"^[a-z][a-z0-9_]{0,31}$" doc:"such as lamp_out, leaning or dirty_glass"`
		FoundAt  time.Time `json:"found_at,omitempty" doc:"now if not given; at most 100 days ago: the nights since are summed up anew"`
		Note     string    `json:"note,omitempty" maxLength:"1000"`
	}
}) (*findingOutput, error) {
	b := &in.Body
	if b.FoundAt.IsZero() {
		b.FoundAt = s.opt.Now()
	}
	f, err := s.opt.Lighting.Find(ctx, lighting.Finding{Facility: devices.FacilityID(b.Facility), Defect: b.Defect, FoundAt: b.FoundAt.UnixMilli(), Note: b.Note, By: caller(ctx).Name})
	if err != nil {
		return nil, findingProblem(err)
	}
	s.audit(ctx, "finding made").Int64("finding", f.ID).Str("facility", b.Facility).Msg("audit")
	return &findingOutput{s.findingItem(&f)}, nil
}

func (s *Server) endFinding(ctx context.Context, in *struct {
	ID   int64 `path:"id"`
	Body struct {
		EndedAt time.Time `json:"ended_at,omitempty" doc:"now if not given; found_at withdraws it, also when it was mended: it counts in no night"`
		Note    string    `json:"note,omitempty" maxLength:"1000"`
	}
}) (*findingOutput, error) {
	if in.Body.EndedAt.IsZero() {
		in.Body.EndedAt = s.opt.Now()
	}
	f, err := s.opt.Lighting.EndFinding(ctx, in.ID, in.Body.EndedAt.UnixMilli(), caller(ctx).Name, in.Body.Note)
	if err != nil {
		return nil, findingProblem(err)
	}
	s.audit(ctx, "finding ended").Int64("finding", f.ID).Msg("audit")
	return &findingOutput{s.findingItem(&f)}, nil
}
