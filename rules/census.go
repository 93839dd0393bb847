package rules

import (
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// census takes changes over. What belongs to another partition is let go of.
func (e *Engine) census(text []byte) error {
	cs, err := registry.DecodeFed(text)
	if err != nil {
		return err
	}
	e.noSun.stale = true
	for i := range cs {
		c := &cs[i]
		if !c.Gone && e.owns(&c.Facility) {
			e.adopt(&c.Facility, c.Moved)
			continue
		}
		if f := e.facilities[c.Facility.ID]; f != nil && !c.Gone {
			e.takeKind(f, c.Facility.Kind)
			if err := e.handOver(f, c.Facility.Key()); err != nil {
				return err
			}
		}
		e.drop(c.Facility.ID, c.Gone)
	}
	return nil
}

func (e *Engine) adopt(c *registry.Facility, moved bool) {
	f := e.facilities[c.ID]
	if f == nil {
		f = e.settle(devices.FacilityID(strings.Clone(string(c.ID))))
		if moved {
			e.inherit(f, c.Kind)
		}
	}
	e.takeKind(f, c.Kind)
	e.takeDevice(f, c.Device)
	f.lon, f.lat, f.hasPlace = float32(c.Lon), float32(c.Lat), c.HasPlace
	f.model = e.texts.id(strings.Clone(c.Model))
	f.limits = c.Limits
	e.owe(f)
	e.takeHours(f, c)
	if c.ExpectS > 0 { // else what the device itself has said stays
		f.expectMS = c.ExpectS * 1000
	}
	if f.more != nil && f.more.past != nil && f.more.past.run != nil {
		f.more.past.run.surveyed(f)
	}
	e.hang(f, c)
	e.maintain(f)
	if len(f.alerts) > 0 {
		e.await(f) // a window that it is no longer under keeps nothing back
	}
	e.watch(f)
	e.count(f)
}

// settle makes room for a facility.
func (e *Engine) settle(id devices.FacilityID) *facility {
	f := &facility{id: id, standing: standings, shown: standings}
	e.facilities[id] = f
	e.named(id, f)
	return f
}

// inherit marks every rule of f as maybe firing: its tickets were opened in the
// partition that it came from.
func (e *Engine) inherit(f *facility, k devices.Kind) {
	f.heir = true
	for _, r := range e.set.kinds[k].rules {
		if r.Collapse == nil {
			f.alerts = append(f.alerts, alert{rule: r.index, heir: true})
		}
	}
}

func (e *Engine) takeKind(f *facility, k devices.Kind) {
	if k == devices.KindUnknown || k == f.kind {
		return
	}
	e.left(f)
	e.uncount(f)
	hung, p := f.hung, f.parent
	e.unhang(f)
	if f.kind != devices.KindUnknown {
		e.disown(f, k)
		if f.more != nil && f.more.past != nil {
			f.more.past.run, f.more.past.faults = nil, nil
		}
	}
	f.kind, e.noSun.stale = k, true
	if hung {
		e.attach(f, e.rebuilt(p))
		e.settleIn(f, e.set.kinds[f.kind].wide)
	}
}

// disown ends the alerts of f, which is of another kind now: no rule judges them any more.
func (e *Engine) disown(f *facility, now devices.Kind) {
	for i := range f.alerts {
		a := &f.alerts[i]
		r := e.set.kinds[f.kind].rules[a.rule]
		if !a.firing && !a.heir {
			continue
		}
		before := len(e.found.Transitions)
		e.emit(f, r, Ended, e.wall)
		for j := before; j < len(e.found.Transitions); j++ {
			e.found.Transitions[j].withdraw(e.set, now)
		}
	}
	f.alerts = nil
}

// withdraw says of an end that nobody has seen that anything is over: the facility is
// of another kind now or, KindUnknown, set has its rule no longer.
func (t *Transition) withdraw(set *Set, now devices.Kind) {
	t.Withdrawn, t.Rules = true, set.version
	t.Evidence = &Evidence{Turn: turnClosed, Rule: t.Defect, Version: set.version, At: t.Wall, Withdrawn: true}
	if now != devices.KindUnknown {
		t.Evidence.Kind = now.String()
	}
}

func (e *Engine) takeDevice(f *facility, d devices.DeviceID) {
	if f.device == d {
		return
	}
	if e.devices[f.device] == f {
		delete(e.devices, f.device)
	}
	if f.device != "" {
		e.anotherDevice(f)
	}
	f.device = devices.DeviceID(strings.Clone(string(d)))
	if string(d) == string(f.id) {
		f.device = devices.DeviceID(f.id) // one copy
		return
	}
	e.devices[f.device] = f
}

// anotherDevice forgets of f what is its device's and not its own: it measures from
// another zero, and numbers its messages anew.
func (e *Engine) anotherDevice(f *facility) {
	if f.more != nil {
		e.letGo(f, len(f.more.held))
		f.more.learned, f.more.sensors = nil, nil
	}
	f.book.another()
}

// of is the facility of a device, nil if there is none.
func (e *Engine) of(d devices.DeviceID) *facility {
	if f := e.devices[d]; f != nil {
		return f
	}
	if f := e.facilities[devices.FacilityID(d)]; f != nil && f.device == d {
		return f
	}
	return nil
}

// drop lets go of a facility. Its open tickets stay: whoever judges it now, or
// people, end them.
func (e *Engine) drop(id devices.FacilityID, gone bool) {
	f := e.facilities[id]
	if f == nil {
		return
	}
	if gone {
		e.left(f)
	}
	e.unhang(f)
	e.feed(f, 0)
	e.uncount(f)
	f.gone = true
	delete(e.facilities, id)
	e.named(id, nil)
	if e.devices[f.device] == f {
		delete(e.devices, f.device)
	}
}

// guess tells the kind of an unknown device by its channels.
func guess(m *devices.Message) devices.Kind {
	for i := range m.Readings {
		for _, v := range m.Readings[i].Values {
			switch v.Channel.Name {
			case "cover_open", "cover_missing", "tilt_deg", "lift_mm", "water_level_m", "flooded":
				return devices.Manhole
			case "lamp_on", "dim_pct", "power_w", "lamp_failure", "gear_failure", "day_burner":
				return devices.Streetlight
			case "displacement_mm", "settlement_mm", "strain_ue", "inclination_deg", "crack_mm", "cable_force_kn":
				return devices.Bridge
			}
		}
	}
	return devices.KindUnknown
}
