package dashboards

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// ledger is the account of one device: what came and what did not.
func (s *Server) ledger(_ context.Context, in *struct {
	Device string `query:"device" required:"true" maxLength:"64"`
}) (*struct{ Body rules.Book }, error) {
	e, ok := s.opt.Census.Find(devices.DeviceID(in.Device))
	id := e.Facility
	if !ok {
		id = devices.FacilityID(in.Device)
	}
	facts, ok := s.opt.State.Inspect(id)
	if !ok {
		return nil, fmt.Errorf("device %s has not been heard of: %w", in.Device, devices.ErrNotFound)
	}
	return &struct{ Body rules.Book }{facts.Book}, nil
}

// gapItem is a gap with its instants in the city's zone.
type gapItem struct {
	tickets.Gap
	At     *string `json:"at" doc:"when it showed"`
	CameAt *string `json:"came_at" doc:"when the last of what came after all came"`
}

func gapSorts() sorts[tickets.Gap] {
	return sorts[tickets.Gap]{
		{"id", "id", true, func(g *tickets.Gap) any { return g.ID }},
		{"at", "at", true, func(g *tickets.Gap) any { return g.At }},
		{"device", "device", false, func(g *tickets.Gap) any { return string(g.Device) }},
	}
}

func (s *Server) gaps(ctx context.Context, in *struct {
	Paging
	Device string `query:"device" maxLength:"64" doc:"of one device; of all without it"`
	Open   bool   `query:"open" doc:"only what has not come to this day"`
}) (*listed[gapItem], error) {
	t, err := gapSorts().begin(in.Paging, keyOf[tickets.Gap]{"id", func(g *tickets.Gap) any { return g.ID }})
	if err != nil {
		return nil, err
	}
	gs, err := s.opt.Tickets.Gaps(ctx, tickets.GapFilter{Device: devices.DeviceID(in.Device), Open: in.Open, Order: t.order, Limit: t.limit})
	if err != nil {
		return nil, err
	}
	items := make([]gapItem, 0, len(gs))
	for _, g := range gs {
		items = append(items, gapItem{g, s.instant(g.At), s.instant(g.CameAt)})
	}
	return answer(ctx, items, t.next(gs), nil), nil
}

// sortSeen puts the latest first, and those of one instant by device.
func sortSeen(all []registry.Seen) {
	slices.SortFunc(all, func(a, b registry.Seen) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Device, b.Device))
	})
}
