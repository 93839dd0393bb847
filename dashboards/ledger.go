package dashboards

import (
	"context"
	"fmt"
	"strconv"

	"lamplighter/devices"
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

func (s *Server) gaps(ctx context.Context, in *struct {
	Device string `query:"device" maxLength:"64" doc:"of one device; of all without it"`
	Open   bool   `query:"open" doc:"only what has not come to this day"`
	Cursor string `query:"cursor" maxLength:"20"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}) (*struct{ Body page[gapItem] }, error) {
	before, err := numericCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	gs, err := s.opt.Tickets.Gaps(ctx, devices.DeviceID(in.Device), in.Open, before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := page[gapItem]{Items: []gapItem{}}
	for _, g := range gs {
		out.Items = append(out.Items, gapItem{g, s.instant(g.At), s.instant(g.CameAt)})
	}
	if len(gs) == in.Limit {
		next := strconv.FormatInt(gs[len(gs)-1].ID, 10)
		out.Next = &next
	}
	return &struct{ Body page[gapItem] }{out}, nil
}

// numericCursor reads a cursor that is an id; 0 for none.
func numericCursor(c string) (int64, error) {
	if c == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(c, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("cursor %q is none of ours: %w", c, devices.ErrInvalid)
	}
	return id, nil
}

// memberItem is a member with its instants in the city's zone.
type memberItem struct {
	tickets.Member
	JoinedAt *string `json:"joined_at"`
	LeftAt   *string `json:"left_at" doc:"null while it is behind the ticket"`
}

func (s *Server) members(ctx context.Context, in *struct {
	ID     int64  `path:"id"`
	Cursor string `query:"cursor" maxLength:"64"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
}) (*struct{ Body page[memberItem] }, error) {
	ms, err := s.opt.Tickets.Members(ctx, in.ID, devices.FacilityID(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	out := page[memberItem]{Items: []memberItem{}}
	for _, m := range ms {
		out.Items = append(out.Items, memberItem{m, s.instant(m.JoinedAt), s.instant(m.LeftAt)})
	}
	if len(ms) == in.Limit {
		next := string(ms[len(ms)-1].Facility)
		out.Next = &next
	}
	return &struct{ Body page[memberItem] }{out}, nil
}
