package dashboards

import (
	"context"
	"fmt"
	"strconv"

	"lamplighter/devices"
	"lamplighter/rules/pager"
	"lamplighter/rules/tickets"
)

// ticketItem is a ticket with its instants in the city's zone.
type ticketItem struct {
	tickets.Ticket
	OpenedAt       *string `json:"opened_at"`
	EventAt        *string `json:"event_at"`
	AcknowledgedAt *string `json:"acknowledged_at"`
	ClosedAt       *string `json:"closed_at"`
}

func (s *Server) ticketItem(t tickets.Ticket) ticketItem {
	return ticketItem{t, s.instant(t.OpenedAt), s.instant(t.EventAt), s.instant(t.AcknowledgedAt), s.instant(t.ClosedAt)}
}

func (s *Server) tickets(ctx context.Context, in *struct {
	State    string `query:"state" enum:"open,acknowledged,closed,live"`
	Kind     string `query:"kind"`
	Facility string `query:"facility" maxLength:"64"`
	Cursor   string `query:"cursor" maxLength:"20"`
	Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}) (*struct{ Body page[ticketItem] }, error) {
	f := tickets.Filter{State: in.State, Kind: in.Kind, Facility: in.Facility, Limit: in.Limit}
	if in.Cursor != "" {
		var err error
		if f.Before, err = strconv.ParseInt(in.Cursor, 10, 64); err != nil {
			return nil, fmt.Errorf("cursor %q is none of ours: %w", in.Cursor, devices.ErrInvalid)
		}
	}
	ts, err := s.opt.Tickets.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := page[ticketItem]{Items: []ticketItem{}}
	for _, t := range ts {
		out.Items = append(out.Items, s.ticketItem(t))
	}
	if len(ts) == in.Limit {
		next := strconv.FormatInt(ts[len(ts)-1].ID, 10)
		out.Next = &next
	}
	return &struct{ Body page[ticketItem] }{out}, nil
}

type ticketDetail struct {
	ticketItem
	History []tickets.Event `json:"history"`
	Pages   []pager.Sent    `json:"pages"`
}

type byNumber struct {
	ID int64 `path:"id"`
}

func (s *Server) ticket(ctx context.Context, in *byNumber) (*struct{ Body ticketDetail }, error) {
	t, err := s.opt.Tickets.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	h, err := s.opt.Tickets.History(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.opt.Pager.Of(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body ticketDetail }{ticketDetail{s.ticketItem(t), h, p}}, nil
}

type noteInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Note string `json:"note,omitempty" maxLength:"1000"`
	}
}

func (s *Server) acknowledge(ctx context.Context, in *noteInput) (*struct{ Body ticketItem }, error) {
	return s.acted(ctx, in.ID, s.opt.Tickets.Acknowledge(ctx, in.ID, caller(ctx).Name, in.Body.Note))
}

func (s *Server) closeTicket(ctx context.Context, in *noteInput) (*struct{ Body ticketItem }, error) {
	return s.acted(ctx, in.ID, s.opt.Tickets.Close(ctx, in.ID, caller(ctx).Name, in.Body.Note))
}

func (s *Server) acted(ctx context.Context, id int64, err error) (*struct{ Body ticketItem }, error) {
	if err != nil {
		return nil, err
	}
	t, err := s.opt.Tickets.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return &struct{ Body ticketItem }{s.ticketItem(t)}, nil
}

type quarantined struct {
	ID      int64   `json:"id"`
	At      *string `json:"at"`
	Device  string  `json:"device"`
	Topic   string  `json:"topic"`
	Source  string  `json:"source"`
	Code    string  `json:"code"`
	Path    string  `json:"path"`
	Msg     string  `json:"msg"`
	Payload string  `json:"payload" doc:"base64"`
}

func (s *Server) quarantine(ctx context.Context, in *struct {
	Device string `query:"device" maxLength:"64"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
}) (*struct{ Body page[quarantined] }, error) {
	rows, err := s.opt.DB.Query(ctx, `SELECT id, at, device, topic, source, code, path, msg, payload FROM quarantine WHERE (?='' OR device=?) ORDER BY id DESC LIMIT ?`, in.Device, in.Device, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	defer rows.Close()
	out := page[quarantined]{Items: []quarantined{}}
	for rows.Next() {
		var q quarantined
		var at int64
		if err := rows.Scan(&q.ID, &at, &q.Device, &q.Topic, &q.Source, &q.Code, &q.Path, &q.Msg, &q.Payload); err != nil {
			return nil, fmt.Errorf("quarantine: %w", err)
		}
		q.At = s.instant(at)
		out.Items = append(out.Items, q)
	}
	return &struct{ Body page[quarantined] }{out}, rows.Err()
}
