package dashboards

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"lamplighter/devices"
	"lamplighter/rules"
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

const severityRank = `CASE t.severity WHEN 'critical' THEN 3 WHEN 'major' THEN 2 WHEN 'minor' THEN 1 ELSE 0 END`

func rankOf(severity string) int64 {
	switch severity {
	case "critical":
		return 3
	case "major":
		return 2
	case "minor":
		return 1
	}
	return 0
}

func ticketSorts() sorts[tickets.Ticket] {
	return sorts[tickets.Ticket]{
		{"id", "t.id", true, func(t *tickets.Ticket) any { return t.ID }},
		{"opened_at", "t.opened_at", true, func(t *tickets.Ticket) any { return t.OpenedAt }},
		{"event_at", "t.event_at", true, func(t *tickets.Ticket) any { return t.EventAt }},
		{"closed_at", "t.closed_at", true, func(t *tickets.Ticket) any { return t.ClosedAt }},
		{"severity", severityRank, true, func(t *tickets.Ticket) any { return rankOf(t.Severity) }},
		{"facility", "t.facility", false, func(t *tickets.Ticket) any { return string(t.Facility) }},
	}
}

func (s *Server) tickets(ctx context.Context, in *struct {
	Paging
	Within
	State    string    `query:"state" enum:"open,acknowledged,closed,live" doc:"live: not closed"`
	Kind     string    `query:"kind" maxLength:"20"`
	Facility string    `query:"facility" maxLength:"64"`
	Severity string    `query:"severity" enum:"info,minor,major,critical"`
	Defect   string    `query:"defect" maxLength:"64"`
	Historic string    `query:"historic" enum:"true,false" doc:"about faults that were over before anybody heard of them, or not; both if not given"`
	From     time.Time `query:"from" doc:"opened at or after"`
	To       time.Time `query:"to" doc:"opened before"`
}) (*listed[ticketItem], error) {
	place, err := in.filter()
	if err != nil {
		return nil, err
	}
	t, err := ticketSorts().begin(in.Paging, keyOf[tickets.Ticket]{"t.id", func(t *tickets.Ticket) any { return t.ID }})
	if err != nil {
		return nil, err
	}
	ts, err := s.opt.Tickets.List(ctx, tickets.Filter{State: in.State, Kind: in.Kind, Facility: in.Facility, Severity: in.Severity, Defect: in.Defect,
		Within: place, Historic: map[string]string{"true": "yes", "false": "no"}[in.Historic], From: unix(in.From), To: unix(in.To), Order: t.order, Limit: t.limit})
	if err != nil {
		return nil, err
	}
	items := make([]ticketItem, 0, len(ts))
	for _, x := range ts {
		items = append(items, s.ticketItem(x))
	}
	return answer(ctx, items, t.next(ts), nil), nil
}

type ticketDetail struct {
	ticketItem
	History []eventItem `json:"history"`
	Pages   []sentItem  `json:"pages"`
}

// eventItem is a line of a ticket's history.
type eventItem struct {
	tickets.Event
	At *string `json:"at"`
}

// sentItem is a page that was asked for, with what became of it.
type sentItem struct {
	pager.Sent
	At *string `json:"at"`
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
	d := ticketDetail{s.ticketItem(t), make([]eventItem, 0, len(h)), make([]sentItem, 0, len(p))}
	for _, e := range h {
		d.History = append(d.History, eventItem{e, s.instant(e.At)})
	}
	for _, x := range p {
		d.Pages = append(d.Pages, sentItem{x, s.instant(x.At)})
	}
	return &struct{ Body ticketDetail }{d}, nil
}

type noteInput struct {
	ID   int64 `path:"id"`
	Body struct {
		Note string `json:"note,omitempty" maxLength:"1000"`
	}
}

func (s *Server) openTicket(ctx context.Context, in *struct {
	Body struct {
		Facility string         `json:"facility" maxLength:"64"`
		Defect   string         `json:"defect" pattern:"^[a-z][a-z0-9_]{0,47}$" doc:"anti_fall_net_missing, anti_fall_net_damaged, or the city's own word, with a summary"`
		Severity string         `json:"severity,omitempty" enum:"info,minor,major,critical" doc:"minor if neither given nor known"`
		Summary  *devices.Title `json:"summary,omitempty"`
		FoundAt  time.Time      `json:"found_at,omitempty" doc:"now if not given"`
		Note     string         `json:"note,omitempty" maxLength:"1000"`
	}
}) (*struct{ Body ticketItem }, error) {
	b, now := &in.Body, s.opt.Now()
	f, err := s.opt.Census.Facility(ctx, devices.FacilityID(b.Facility))
	if err != nil {
		return nil, err
	}
	if b.FoundAt.IsZero() {
		b.FoundAt = now
	}
	of, severity, summary := tickets.Known(b.Defect)
	if b.Summary != nil {
		summary = *b.Summary
	}
	if b.Severity != "" || of == devices.KindUnknown {
		severity = rules.Severity(cmp.Or(b.Severity, string(rules.Minor)))
	}
	switch {
	case of != devices.KindUnknown && of != f.Kind:
		return nil, invalid("body.defect", "%s is found at a %s; %s is a %s", b.Defect, of, f.ID, f.Kind)
	case summary.ZH == "" || summary.EN == "":
		return nil, fmt.Errorf("defect %s is not known; want summary with zh and en: %w", b.Defect, devices.ErrInvalid)
	case b.FoundAt.After(now):
		return nil, fmt.Errorf("found_at %s lies in the future: %w", b.FoundAt.Format(time.RFC3339), devices.ErrInvalid)
	}
	id, err := s.opt.Tickets.Find(ctx, tickets.Found{Facility: f.ID, Kind: f.Kind, Defect: b.Defect, Severity: severity, Summary: summary, At: b.FoundAt.UnixMilli(), Note: b.Note, By: caller(ctx).Name})
	return s.acted(ctx, id, err)
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

// memberItem is a member with its instants in the city's zone.
type memberItem struct {
	tickets.Member
	JoinedAt *string `json:"joined_at"`
	LeftAt   *string `json:"left_at" doc:"null while it is behind the ticket"`
}

func memberSorts() sorts[tickets.Member] {
	return sorts[tickets.Member]{
		{"facility", "m.facility", false, func(m *tickets.Member) any { return string(m.Facility) }},
		{"joined_at", "m.joined_at", false, func(m *tickets.Member) any { return m.JoinedAt }},
	}
}

func (s *Server) members(ctx context.Context, in *struct {
	Paging
	ID int64 `path:"id"`
}) (*listed[memberItem], error) {
	t, err := memberSorts().begin(in.Paging, keyOf[tickets.Member]{"m.facility", func(m *tickets.Member) any { return string(m.Facility) }})
	if err != nil {
		return nil, err
	}
	if _, err := s.opt.Tickets.Get(ctx, in.ID); err != nil {
		return nil, err
	}
	ms, err := s.opt.Tickets.Members(ctx, in.ID, t.order, t.limit)
	if err != nil {
		return nil, err
	}
	items := make([]memberItem, 0, len(ms))
	for _, m := range ms {
		items = append(items, memberItem{m, s.instant(m.JoinedAt), s.instant(m.LeftAt)})
	}
	return answer(ctx, items, t.next(ms), nil), nil
}
