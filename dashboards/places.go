package dashboards

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/rules/tickets"
)

// place is what bears an id that tickets, windows and lists name and that is no
// facility of the census.
type place struct {
	ID       string `json:"id"`
	Is       string `json:"is" enum:"area,feeder,cabinet,circuit,device,gone,seen" doc:"device: of the facility that facility names; gone: it has left the census; seen: a device that the census does not have and that was heard"`
	Name     string `json:"name" doc:"empty if the census has none"`
	Level    string `json:"level,omitempty" enum:"city,district,street,community,grid" doc:"of an area"`
	Area     string `json:"area,omitempty" doc:"the code of an area; none of the city"`
	Feeder   string `json:"feeder,omitempty"`
	Cabinet  string `json:"cabinet,omitempty"`
	Circuit  string `json:"circuit,omitempty"`
	Facility string `json:"facility,omitempty" doc:"of a device"`
	Members  int    `json:"members" doc:"facilities in it, or on it"`
}

// filter is what lies in a place or hangs on it.
func (p *place) filter() registry.Filter {
	return registry.Filter{Area: devices.AreaCode(p.Area), Feeder: p.Feeder, Cabinet: p.Cabinet, Circuit: p.Circuit}
}

// Within narrows a list to a place.
type Within struct {
	Area    string `query:"area" maxLength:"15" doc:"an area code: the area and all that lies in it"`
	Cabinet string `query:"cabinet" maxLength:"64" doc:"what hangs on it"`
	Circuit string `query:"circuit" maxLength:"64" doc:"one circuit of the cabinet"`
	Feeder  string `query:"feeder" maxLength:"100" doc:"what it supplies: by its own row, or its cabinet's"`
}

func (w *Within) filter() (registry.Filter, error) {
	if w.Circuit != "" && w.Cabinet == "" {
		return registry.Filter{}, invalid("query.cabinet", "circuit %s of which cabinet", w.Circuit)
	}
	return registry.Filter{Area: devices.AreaCode(w.Area), Cabinet: w.Cabinet, Circuit: w.Circuit, Feeder: w.Feeder}, nil
}

// aboutArea and aboutFeeder begin the facility of a ticket about one.
const (
	aboutArea   = "area:"
	aboutFeeder = "feeder:"
)

func (s *Server) place(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"110" doc:"as the facility of a ticket" example:"area:350102"`
}) (*struct{ Body place }, error) {
	for _, is := range []func(context.Context, string) (*place, error){s.areaPlace, s.feederPlace, s.devicePlace, s.hangPlace, s.pastPlace} {
		p, err := is(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if p != nil {
			p.ID = in.ID
			return &struct{ Body place }{*p}, nil
		}
	}
	return nil, fmt.Errorf("%s: neither a facility of the census, now or ever, nor an area, feeder, cabinet, circuit or device: %w", in.ID, devices.ErrNotFound)
}

// counted is p with its members, nil if it has none.
func (s *Server) counted(ctx context.Context, p *place) (*place, error) {
	n, err := s.opt.Census.Count(ctx, p.filter())
	if err != nil || n == 0 {
		return nil, err
	}
	p.Members = n
	return p, nil
}

func (s *Server) areaPlace(ctx context.Context, id string) (*place, error) {
	code, ok := strings.CutPrefix(id, aboutArea)
	switch {
	case !ok || code == "":
		return nil, nil
	case code == "city":
		n, err := s.opt.Census.Count(ctx, registry.Filter{})
		return &place{Is: "area", Level: code, Members: n}, err
	}
	p := &place{Is: "area", Area: code, Level: devices.AreaCode(code).Level().String()}
	a, err := s.opt.Census.Area(ctx, devices.AreaCode(code))
	known := err == nil
	if err != nil && !errors.Is(err, devices.ErrNotFound) {
		return nil, err
	}
	p.Name = a.Name
	n, err := s.opt.Census.Count(ctx, p.filter())
	if err != nil || n == 0 && !known {
		return nil, err
	}
	p.Members = n
	return p, nil
}

func (s *Server) feederPlace(ctx context.Context, id string) (*place, error) {
	name, ok := strings.CutPrefix(id, aboutFeeder)
	if !ok || name == "" {
		return nil, nil
	}
	return s.counted(ctx, &place{Is: "feeder", Feeder: name})
}

func (s *Server) devicePlace(_ context.Context, id string) (*place, error) {
	e, ok := s.opt.Census.Find(devices.DeviceID(id))
	if !ok {
		return nil, nil
	}
	return &place{Is: "device", Facility: string(e.Facility)}, nil
}

// hangPlace is a cabinet, or a circuit as CABINET:CIRCUIT; a name may have colons
// itself.
func (s *Server) hangPlace(ctx context.Context, id string) (*place, error) {
	if id == "" {
		return nil, nil
	}
	p, err := s.counted(ctx, &place{Is: "cabinet", Cabinet: id})
	for i := len(id) - 1; p == nil && err == nil && i > 0; i-- {
		if id[i] == ':' && i+1 < len(id) {
			p, err = s.counted(ctx, &place{Is: "circuit", Cabinet: id[:i], Circuit: id[i+1:]})
		}
	}
	return p, err
}

// pastPlace is what has left the census, or a device that never was in it.
func (s *Server) pastPlace(ctx context.Context, id string) (*place, error) {
	events, err := s.opt.Census.History(ctx, devices.FacilityID(id), 0, 1)
	if err != nil {
		return nil, err
	}
	if len(events) > 0 {
		p := &place{Is: "gone"}
		if w := events[0].Was; w != nil {
			p.Name, p.Area, p.Cabinet, p.Circuit = w.Name, string(w.Area), w.Cabinet, w.Circuit
		}
		return p, nil
	}
	ts, err := s.opt.Tickets.List(ctx, tickets.Filter{Facility: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(ts) > 0 {
		return &place{Is: "gone", Name: ts[0].FacilityName}, nil
	}
	return s.heardPlace(ctx, devices.DeviceID(id))
}

// heardPlace is a device that is known by what it sent, or tried to.
func (s *Server) heardPlace(ctx context.Context, d devices.DeviceID) (*place, error) {
	heard := slices.ContainsFunc(s.opt.Census.SeenList(), func(x registry.Seen) bool { return x.Device == d })
	if !heard {
		kept, err := s.opt.Quarantine.List(ctx, tickets.KeptFilter{Device: d, Limit: 1, Order: newestFirst()})
		if err != nil {
			return nil, err
		}
		gaps, err := s.opt.Tickets.Gaps(ctx, tickets.GapFilter{Device: d, Limit: 1, Order: newestFirst()})
		if err != nil {
			return nil, err
		}
		heard = len(kept)+len(gaps) > 0
	}
	if !heard {
		return nil, nil
	}
	return &place{Is: "seen"}, nil
}

func newestFirst() database.Order { return database.Order{Column: "id", Key: "id", Desc: true} }
