package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

const apartRules = `groups:
  - kind: manhole
    rules:
      - {name: tilted, when: tilt_deg > 15.0, clear: tilt_deg < 10.0, for: 8s, clear_for: 6s, max_age: 5s, severity: minor, summary: {zh: 甲, en: a}}
      - {name: knocked, values: {n: {channel: vibration_mg, window: 12s, aggregate: count}}, when: n > 2.0, clear_for: 1s, severity: minor, summary: {zh: 乙, en: b}}
      - {name: shaken, values: {m: {channel: vibration_mg, window: 12s, aggregate: max}}, when: m > 50.0, for: 3s, clear_for: 3s, severity: minor, summary: {zh: 丙, en: c}}
`

// plain is a rule without any of the engine's short cuts: it is asked about all
// that was ever told, at every reading. Times are seconds, -1 = none.
type plain struct {
	name           string
	hold, calm     int
	ask            func(firing bool, newest int) truth
	pending, quiet int
	firing         bool
}

func (p *plain) hears(t truth, now int) {
	switch {
	case t == unknown && p.firing, t == yes && p.firing:
		p.quiet = -1
	case t == unknown, t == no && !p.firing:
		p.pending = -1
	case t == yes && p.pending < 0:
		p.pending = now
	case t == no && p.firing && p.quiet < 0:
		p.quiet = now
	}
}

func (p *plain) passes(now int) string {
	switch {
	case !p.firing && p.pending >= 0 && now-p.pending >= p.hold:
		p.firing = true
		return fmt.Sprintf("%d opened MH-1 %s", now, p.name)
	case p.firing && p.quiet >= 0 && now-p.quiet >= p.calm:
		p.firing, p.pending, p.quiet = false, -1, -1
		return fmt.Sprintf("%d closed MH-1 %s", now, p.name)
	}
	return ""
}

// Channels of one device come apart: one stops while another goes on. Whatever
// they do, the tickets are those of the plain rules.
func TestChannelsThatComeApartAreJudgedAsTheRulesSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := tell(t)
		set, err := Parse([]byte(apartRules), s.dict)
		if err != nil {
			rt.Fatal(err)
		}
		s.e = NewEngine(set, s.dict, nil)
		s.step(-1, s.census(registry.Facility{ID: "MH-1", Kind: devices.Manhole}))
		told := map[string][]sample{}
		is := func(b bool) truth {
			if b {
				return yes
			}
			return no
		}
		window := func(newest int) (in []sample) {
			for _, x := range told["vibration_mg"] {
				if x.at > int64(newest-12) {
					in = append(in, x)
				}
			}
			return in
		}
		rules := []*plain{
			{name: "tilted", hold: 8, calm: 6, ask: func(firing bool, newest int) truth {
				all := told["tilt_deg"]
				if len(all) == 0 {
					return no
				}
				x := all[len(all)-1]
				if int64(newest)-x.at > 5 {
					return unknown
				}
				return is(x.num > 15 || firing && x.num >= 10)
			}},
			{name: "knocked", calm: 1, ask: func(_ bool, newest int) truth { return is(len(window(newest)) > 2) }},
			{name: "shaken", hold: 3, calm: 3, ask: func(_ bool, newest int) truth {
				in := window(newest)
				if len(in) == 0 {
					return unknown
				}
				return is(slices.MaxFunc(in, func(a, b sample) int { return int(a.num - b.num) }).num > 50)
			}},
		}
		for _, p := range rules {
			p.pending, p.quiet = -1, -1
		}
		var want []string
		all := func(do func(p *plain) string) {
			for _, p := range rules {
				if line := do(p); line != "" {
					want = append(want, line)
				}
			}
		}
		speaks := map[string]bool{"tilt_deg": true, "vibration_mg": true, "water_level_m": true}
		for now := range rapid.IntRange(20, 150).Draw(rt, "seconds") {
			for _, c := range []string{"tilt_deg", "vibration_mg", "water_level_m"} {
				if rapid.IntRange(0, 9).Draw(rt, "turns") == 0 {
					speaks[c] = !speaks[c]
				}
			}
			var vals []any
			for _, c := range []string{"tilt_deg", "vibration_mg", "water_level_m"} {
				if speaks[c] && rapid.IntRange(0, 2).Draw(rt, "says") > 0 {
					vals = append(vals, c, rapid.SampledFrom([]float64{1, 12, 60}).Draw(rt, "value"))
				}
			}
			pass := func(p *plain) string { return p.passes(now) }
			if len(vals) == 0 {
				s.step(float64(now))
				all(pass)
				continue
			}
			s.step(float64(now), s.says("MH-1", float64(now), vals...))
			hear := func(p *plain) string { p.hears(p.ask(p.firing, now), now); return "" }
			all(pass)
			all(func(p *plain) string { // was it known until now?
				if p.ask(p.firing, now) == unknown {
					p.hears(unknown, now)
				}
				return ""
			})
			for i := 0; i < len(vals); i += 2 {
				told[vals[i].(string)] = append(told[vals[i].(string)], sample{int64(now), vals[i+1].(float64)})
			}
			all(hear)
			all(pass)
			if rapid.IntRange(0, 40).Draw(rt, "restart") == 0 {
				s.e = restarted(t, s.e, s.seq)
			}
		}
		slices.Sort(want)
		slices.Sort(s.log)
		if !slices.Equal(s.log, want) {
			rt.Fatalf("got\n%s\nwant\n%s", strings.Join(s.log, "\n"), strings.Join(want, "\n"))
		}
	})
}
