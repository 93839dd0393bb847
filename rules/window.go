package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// MaxWindow is how long a maintenance window may last.
const MaxWindow = 30 * 24 * time.Hour

// Window is a maintenance window: while it lasts nothing is opened for what it
// names. All of Facility, Cabinet, Circuit, Feeder, Area, Kind and Rule that are given
// must fit. It goes through the log as JSON; one with the id of another takes
// its place.
type Window struct {
	ID       string             `json:"id"`
	Facility devices.FacilityID `json:"facility,omitempty"`
	Cabinet  string             `json:"cabinet,omitempty"`
	Circuit  string             `json:"circuit,omitempty"` // of Cabinet
	Feeder   string             `json:"feeder,omitempty"`
	Area     devices.AreaCode   `json:"area,omitempty"` // and all that lies in it
	Kind     string             `json:"kind,omitempty"`
	Rule     string             `json:"rule,omitempty"`
	From     int64              `json:"from"` // Unix ms
	To       int64              `json:"to"`   // Unix ms, not included
	Reason   string             `json:"reason"`
	By       string             `json:"by"`
}

// Check tells what is wrong with a window, by field. An error is a
// devices.ErrInvalid.
func (w *Window) Check() (field string, err error) {
	bad := func(field, format string, args ...any) (string, error) {
		return field, fmt.Errorf(format+": %w", append(args, devices.ErrInvalid)...)
	}
	switch {
	case w.ID == "":
		return bad("id", "a window without an id")
	case w.Circuit != "" && w.Cabinet == "":
		return bad("cabinet", "the cabinet is missing: found circuit %s, and each cabinet may have one; want cabinet: its id, beside circuit", w.Circuit)
	case w.Facility == "" && w.Cabinet == "" && w.Feeder == "" && w.Area == "" && w.Kind == "" && w.Rule == "":
		return bad("facility", "the window is for the whole city; want a facility, cabinet, circuit, feeder, area, kind or rule")
	case strings.TrimSpace(w.Reason) == "":
		return bad("reason", "a window without a reason")
	case strings.TrimSpace(w.By) == "":
		return bad("by", "a window of nobody")
	case w.To <= w.From:
		return bad("to", "it ends before it begins")
	case w.To-w.From > MaxWindow.Milliseconds():
		return bad("to", "it lasts %s; want at most %d days: make it anew when that is over", time.Duration(w.To-w.From)*time.Millisecond, MaxWindow/(24*time.Hour))
	}
	if w.Kind != "" {
		if _, err := devices.ParseKind(w.Kind); err != nil {
			return bad("kind", "found %q; want manhole, streetlight or bridge", w.Kind)
		}
	}
	return "", nil
}

// Stranger says why a window that names the rule, for facilities of these kinds,
// would keep nothing back; "" if it would, none = of any kind.
func (s *Set) Stranger(rule string, kinds ...devices.Kind) string {
	var names, have []string
	of := ""
	for k := range s.kinds {
		for _, r := range s.kinds[k].rules {
			names = append(names, r.Name)
			if r.Name != rule {
				continue
			}
			if len(kinds) == 0 || slices.Contains(kinds, r.Kind) {
				return ""
			}
			have = append(have, r.Kind.String())
		}
	}
	if len(have) == 0 {
		return fmt.Sprintf("found %s, which is no rule that is in force%s", rule, strict.Meant(rule, names))
	}
	for i, k := range kinds {
		if of += k.String(); i < len(kinds)-1 {
			of += " and "
		}
	}
	return fmt.Sprintf("found %s, a rule for %s alone, in a window for %s: it would keep nothing back", rule, strings.Join(have, " and "), of)
}

// Encode is the window as the log has it.
func (w *Window) Encode() ([]byte, error) {
	b, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("window %s: %w", w.ID, err)
	}
	return b, nil
}

// on tells whether the window lasts at an instant.
func (w *Window) on(wall int64) bool { return wall >= w.From && wall < w.To }

// at tells whether f is one of those that the window names.
func (w *Window) at(e *Engine, f *facility) bool {
	return (w.Facility == "" || w.Facility == f.id) &&
		(w.Kind == "" || w.Kind == f.kind.String()) &&
		(w.Feeder == "" || w.feeds(e, f)) &&
		(w.Area == "" || strings.HasPrefix(e.texts.text(f.area), string(w.Area))) &&
		(w.Cabinet == "" || w.over(f.parent))
}

// feeds tells whether the window's feeder supplies f.
func (w *Window) feeds(e *Engine, f *facility) bool {
	return e.texts.text(e.feederOf(f)) == w.Feeder
}

// over tells whether p or what is above it is the window's cabinet or circuit.
func (w *Window) over(p *parent) bool {
	for ; p != nil; p = p.up {
		if w.Circuit != "" && p.level == Circuit && string(p.id) == w.Cabinet+":"+w.Circuit || w.Circuit == "" && p.level == Cabinet && string(p.id) == w.Cabinet {
			return true
		}
	}
	return false
}

// window takes one over from the log.
func (e *Engine) window(text []byte) error {
	var w Window
	if err := json.Unmarshal(text, &w); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	if w.ID == "" || w.To-w.From > MaxWindow.Milliseconds() {
		return fmt.Errorf("window %q from %d to %d: %w", w.ID, w.From, w.To, devices.ErrInvalid)
	}
	old := len(e.windows)
	e.windows = slices.DeleteFunc(e.windows, func(x Window) bool { return x.ID == w.ID })
	known := slices.IndexFunc(e.lifted, func(l lifted) bool { return l.ID == w.ID })
	switch {
	case w.To > e.wall:
		e.windows = append(e.windows, w)
	case len(e.windows) < old:
		e.lift(&w)
	case known >= 0:
		e.lifted[known].Window = w
	default:
		e.recallWindow(&w, w.To)
	}
	e.turn()
	return nil
}

// turnIfDue lets windows begin and end.
func (e *Engine) turnIfDue() {
	if e.turns != 0 && e.wall >= e.turns {
		e.turn()
	}
}

// turn finds out what is under maintenance now. It asks every facility: windows
// begin and end some times a day. What is still bad where a window has ended
// opens in this frame.
func (e *Engine) turn() {
	for i := range e.windows {
		if e.windows[i].To <= e.wall {
			e.lift(&e.windows[i])
		}
	}
	e.windows = slices.DeleteFunc(e.windows, func(w Window) bool { return w.To <= e.wall })
	e.nextTurn()
	for _, f := range e.facilities {
		e.maintain(f)
		e.count(f)
	}
	for _, f := range sorted(e.all()) {
		e.await(f)
		e.weigh(f)
	}
	for _, p := range e.parentsInOrder() {
		e.stirAll(p)
	}
	for _, w := range e.wholes {
		e.stirWhole(w)
	}
}

// nextTurn finds out when the next window begins or ends.
func (e *Engine) nextTurn() {
	e.turns = 0
	for i := range e.windows {
		next := e.windows[i].From
		if next <= e.wall {
			next = e.windows[i].To
		}
		if e.turns == 0 || next < e.turns {
			e.turns = next
		}
	}
}

// maintain notes whether all of f is under maintenance.
func (e *Engine) maintain(f *facility) {
	f.maintained = false
	for i := range e.windows {
		w := &e.windows[i]
		f.maintained = f.maintained || w.Rule == "" && w.on(e.wall) && w.at(e, f)
	}
}

// maintained tells whether nothing is to be opened for r at f.
func (e *Engine) maintained(f *facility, r *Rule) bool {
	if f.maintained {
		return true
	}
	for i := range e.windows {
		if w := &e.windows[i]; w.Rule == r.Name && w.on(e.wall) && w.at(e, f) {
			return true
		}
	}
	return false
}

// maintainedCause tells whether nothing is to be opened for c. A window for a
// facility or an area is none for what they hang on; one for a feeder is one for
// a cabinet or circuit all of which it supplies.
func (e *Engine) maintainedCause(c *cause) bool {
	return slices.ContainsFunc(e.windows, func(w Window) bool {
		return w.on(e.wall) && w.atCause(e, c)
	})
}

// atCause tells whether c, of which not several partitions have part, is one of those
// that the window names.
func (w *Window) atCause(e *Engine, c *cause) bool {
	return w.Area == "" && w.ofCause(c.rule) && (w.Cabinet == "" || w.over(c.parent)) &&
		(w.Feeder == "" || !slices.ContainsFunc(c.parent.members, func(f *facility) bool { return !w.feeds(e, f) }))
}

// ofCause tells whether the window may be one for a common cause.
func (w *Window) ofCause(r *Rule) bool {
	return w.Facility == "" && (w.Kind == "" || w.Kind == r.Kind.String()) && (w.Rule == "" || w.Rule == r.Name)
}

// atWhole tells whether x is one of those that the window names.
func (w *Window) atWhole(x *whole) bool {
	return w.ofCause(x.rule) && w.Cabinet == "" && (w.Feeder == "" || x.Level == Feeder && x.Place == w.Feeder) && (w.Area == "" || x.Level != Feeder && x.Level != City && devices.AreaCode(x.Place).Within(w.Area))
}
