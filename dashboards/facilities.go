package dashboards

import (
	"context"
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// facilityItem is a facility with its state.
type facilityItem struct {
	registry.Facility
	Updated  *string `json:"updated"`
	State    string  `json:"state" enum:"ok,faulty,unknown,maintenance" doc:"the worse of its own and, of a cabinet or circuit, of the common causes with a ticket on it"`
	Since    *string `json:"since" doc:"since when it is so: of what is faulty, when its oldest fault began; of what is unknown, when it was last heard; by a common cause, when enough of its members had become so"`
	LastSeen *string `json:"last_seen"`
	Blind    string  `json:"blind,omitempty" doc:"the way in through which it was last heard, if that is down: nobody can tell whether it is silent"`
	Usual    []usual `json:"usual,omitempty" doc:"what rules with a baseline have learned of it"`

	OwnLimits []ownLimit `json:"own_limits,omitempty" doc:"limits with what they mean, by channel, each channel's from the first tier on"`
}

func (s *Server) item(f registry.Facility) facilityItem {
	facts, _ := s.opt.State.Inspect(f.ID)
	return facilityItem{f, s.instant(f.Updated), facts.Standing.String(), s.instant(facts.Since), s.instant(facts.Seen), facts.Blind, s.usual(facts.Usual), s.ownLimits(&f, facts.Limits)}
}

func facilitySorts() sorts[registry.Facility] {
	return sorts[registry.Facility]{
		{"id", "id", false, func(f *registry.Facility) any { return string(f.ID) }},
		{"name", "name", false, func(f *registry.Facility) any { return f.Name }},
		{"kind", "kind", false, func(f *registry.Facility) any { return f.Kind.String() }},
		{"area", "area", false, func(f *registry.Facility) any { return string(f.Area) }},
		{"updated", "updated", true, func(f *registry.Facility) any { return f.Updated }},
	}
}

func facilityKey() keyOf[registry.Facility] {
	return keyOf[registry.Facility]{"id", func(f *registry.Facility) any { return string(f.ID) }}
}

func (s *Server) facilities(ctx context.Context, in *struct {
	Paging
	Within
	Kind    string `query:"kind" enum:"unknown,manhole,streetlight,bridge"`
	Q       string `query:"q" maxLength:"100" doc:"in id and name"`
	State   string `query:"state" enum:"ok,faulty,unknown,maintenance" doc:"how the rules see it now. A page may then be short, or empty: go on until next is null"`
	Sunless bool   `query:"sunless" doc:"only those that rules by the sun do not judge: neither they nor their circuit or cabinet have a place. A page may be short, as with state"`
}) (*listed[facilityItem], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	f.Kind, f.Query, f.NoPlace = in.Kind, in.Q, in.Sunless
	t, err := facilitySorts().begin(in.Paging, facilityKey())
	if err != nil {
		return nil, err
	}
	if in.State != "" || in.Sunless {
		fs, next, err := s.picked(ctx, f, t, in.State, in.Sunless)
		return answer(ctx, s.items(fs), next, nil), err
	}
	total, err := s.opt.Census.Count(ctx, f)
	if err != nil {
		return nil, err
	}
	fs, err := s.opt.Census.Page(ctx, f, t.order, t.limit)
	if err != nil {
		return nil, err
	}
	return answer(ctx, s.items(fs), t.next(fs), &total), nil
}

func (s *Server) items(fs []registry.Facility) []facilityItem {
	out := make([]facilityItem, 0, len(fs))
	for _, f := range fs {
		out = append(out, s.item(f))
	}
	return out
}

const (
	walkStep = 500
	walkMost = 20_000 // facilities looked at for one answer
)

// picked walks over the census and keeps what stands as wanted (state, "" = anyhow)
// and, if asked for, is sunless: both are the rules' own, in memory, and no columns
// that could lag behind them.
func (s *Server) picked(ctx context.Context, f registry.Filter, t turn[registry.Facility], state string, sunless bool) (out []registry.Facility, next *string, err error) {
	limit := t.limit
	t.limit = walkStep
	for looked := 0; looked < walkMost; looked += walkStep {
		fs, err := s.opt.Census.Page(ctx, f, t.order, walkStep)
		if err != nil {
			return nil, nil, err
		}
		ids := make([]devices.FacilityID, len(fs))
		for i := range fs {
			ids[i] = fs[i].ID
		}
		stand, dark := s.opt.State.Standings(ids), s.opt.State.Sunless(ids)
		for i := range fs {
			if state != "" && stand[i].String() != state || sunless && !dark[i] {
				continue
			}
			if out = append(out, fs[i]); len(out) == limit {
				return out, t.after(&fs[i]), nil
			}
		}
		if next = t.next(fs); next == nil {
			return out, nil, nil
		}
		t.order.After = t.place(&fs[len(fs)-1])
	}
	return out, next, nil
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

// seenItem is a device that was not let in.
type seenItem struct {
	registry.Seen
	First *string `json:"first"`
	Last  *string `json:"last"`
}

func seenSorts() sorts[registry.Seen] {
	return sorts[registry.Seen]{{"last", "", true, func(x *registry.Seen) any { return x.Last }}}
}

// seen pages over a list that lies in memory, the latest first.
func (s *Server) seen(ctx context.Context, in *struct{ Paging }) (*listed[seenItem], error) {
	key := keyOf[registry.Seen]{"", func(x *registry.Seen) any { return string(x.Device) }}
	t, err := seenSorts().begin(in.Paging, key)
	if err != nil {
		return nil, err
	}
	if !t.order.Desc {
		return nil, invalid("query.order", "this list goes from the latest on: want desc")
	}
	all := s.opt.Census.SeenList()
	total := len(all)
	sortSeen(all)
	if a := t.order.After; a != nil {
		last, _ := a.Value.(int64)
		device, _ := a.Key.(string)
		for len(all) > 0 && (all[0].Last > last || all[0].Last == last && string(all[0].Device) <= device) {
			all = all[1:]
		}
	}
	items := all[:min(len(all), t.limit)]
	next := t.next(items)
	if len(items) == len(all) {
		next = nil
	}
	out := make([]seenItem, 0, len(items))
	for _, x := range items {
		out = append(out, seenItem{x, s.instant(x.First), s.instant(x.Last)})
	}
	return answer(ctx, out, next, &total), nil
}

// newPassword is a device's secret.
type newPassword struct {
	Password string `json:"password" doc:"shown this once"`
}

func (s *Server) password(ctx context.Context, in *byID) (*struct{ Body newPassword }, error) {
	if !s.opt.Census.Known(devices.DeviceID(in.ID)) {
		return nil, fmt.Errorf("device %s: %w", in.ID, devices.ErrNotFound)
	}
	p, err := s.opt.Census.NewPassword(ctx, caller(ctx).Name, devices.DeviceID(in.ID))
	if err != nil {
		return nil, err
	}
	s.audit(ctx, "password of a device").Str("device", in.ID).Msg("audit")
	return &struct{ Body newPassword }{newPassword{p}}, nil
}
