package rules

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// oddRules ask in ways that no rule of ours does; the last two in such as only CEL
// can answer.
const oddRules = `groups:
  - kind: streetlight
    rules:
      - {name: odd_1, when: power_w == 60.0 || 2 < 1 || -current_a < -(power_w / limit_current_a + 1.0), limits: {current_a: 0.4}, severity: minor, summary: {zh: 甲, en: a}}
      - {name: odd_2, when: power_w != current_a && !(voltage_v >= 60), severity: minor, summary: {zh: 甲, en: a}}
      - {name: odd_3, when: 'has_power_w && (lamp_on ? power_w - 1.0 : abs(current_a * 2.0)) <= 61.0', severity: minor, summary: {zh: 甲, en: a}}
      - {name: odd_4, when: 'night || should_be_on && members < 3 && members_power_w <= 1.0', severity: minor, summary: {zh: 甲, en: a}}
      - {name: odd_5, when: 'lamp_on == true || power_w in [1.0, 60.0]', severity: minor, summary: {zh: 甲, en: a}}
      - {name: odd_6, when: 'power_w > 1.0 && [1.0, 2.0].exists(x, x * power_w > current_a)', severity: minor, summary: {zh: 甲, en: a}}
`

// conditions are all expressions of r.
func (r *Rule) conditions() map[string]*condition {
	out := map[string]*condition{"when": r.when, "clear": r.clear, "at_once": r.atOnce}
	for i := range r.Steps {
		out[fmt.Sprint("step ", i)], out[fmt.Sprint("clear of step ", i)] = r.Steps[i].when, r.Steps[i].clear
	}
	for i := range r.Wordings {
		out[fmt.Sprint("wording ", i)] = r.Wordings[i].when
	}
	for name, c := range out {
		if c == nil {
			delete(out, name)
		}
	}
	return out
}

// What is answered directly is what CEL answers, whatever is known of a facility.
func TestDirectAnswersAreThoseOfCEL(t *testing.T) {
	s := tell(t)
	ss, err := Sources([]string{"default", "../deploy/rules"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Parse(Bundle("", append(ss, Source{"odd.yml", []byte(oddRules)})), s.dict)
	if err != nil {
		t.Fatal(err)
	}
	for k := range set.kinds {
		for _, r := range set.kinds[k].rules {
			for what, c := range r.conditions() {
				if want := r.Name != "odd_5" && r.Name != "odd_6"; (c.direct != nil) != want {
					t.Fatalf("%s of %s is direct: %v, want %v", what, r.Name, c.direct != nil, want)
				}
			}
		}
	}
	answers := make(map[truth]int)
	rapid.Check(t, func(t *rapid.T) {
		s := &story{t: s.t, e: NewEngine(set, s.dict, nil), dict: s.dict}
		kind := rapid.SampledFrom([]devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge}).Draw(t, "kind")
		l := channelsOf(kind, s.dict)
		fac := registry.Facility{ID: "F-1", Kind: kind, Circuit: "C1", Cabinet: "CAB-1", ExpectS: 600, HasPlace: rapid.Bool().Draw(t, "placed"), Lon: 119.3, Lat: 26.08, Model: rapid.SampledFrom([]string{"", "RX-1S"}).Draw(t, "model")}
		if names := rapid.SliceOfN(rapid.SampledFrom(l.words), 0, 4).Draw(t, "limits"); len(names) > 0 {
			fac.Limits = make(map[string]float64)
			for _, n := range names {
				fac.Limits[tierName(n, rapid.IntRange(1, tiers).Draw(t, "tier"))] = rapid.Float64Range(-5, 300).Draw(t, "limit")
			}
		}
		s.step(0, s.census(fac, registry.Facility{ID: "F-2", Kind: kind, Circuit: "C1", Cabinet: "CAB-1", ExpectS: 600}))
		sec := 0.0
		for range rapid.IntRange(0, 6).Draw(t, "messages") {
			sec += rapid.Float64Range(1, 4*hour).Draw(t, "pause")
			it := s.says(rapid.SampledFrom([]string{"F-1", "F-1", "F-2"}).Draw(t, "of"), sec)
			r := &it.Message.Readings[0]
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(l.words), 0, 12, rapid.ID).Draw(t, "channels") {
				v := devices.Value{Channel: l.channels[name]}
				switch v.Channel.Type {
				case devices.Bool:
					v.Num = float64(rapid.IntRange(0, 1).Draw(t, name))
				default:
					v.Num = rapid.OneOf(rapid.SampledFrom([]float64{0, 1, 60, 230}), rapid.Float64Range(-100, 400)).Draw(t, name)
				}
				r.Values = append(r.Values, v)
			}
			s.step(sec, it)
		}
		f := s.e.facilities["F-1"]
		for _, r := range set.kinds[kind].rules {
			s.e.view = view{f: f, e: s.e, rule: r}
			for what, c := range r.conditions() {
				got, want := c.ask(&s.e.view), c.evaluate(&s.e.view)
				if answers[want]++; got != want {
					t.Fatalf("%s of %s: %v, CEL says %v", what, r.Name, got, want)
				}
			}
		}
	})
	if most := max(answers[yes], answers[no], answers[unknown]); min(answers[yes], answers[no], answers[unknown]) < most/1000 {
		t.Errorf("the answers were %v: too much alike to say anything", answers)
	}
}
