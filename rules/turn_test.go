package rules

import (
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// became is what is kept of the changes and the closing of tickets in a frame, in
// English and Chinese.
func (s *story) became(sec float64, items ...devices.Item) (en, zh string) {
	s.t.Helper()
	for _, x := range s.transitions(sec, items...) {
		if x.Type != Changed && x.Type != Ended {
			continue
		}
		e, z := s.sentences(x.Evidence)
		en, zh = en+e, zh+z
	}
	return en, zh
}

func TestEveryTurnOfATicketSaysWhatDecidedIt(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "tilt_deg", 1.0, "methane_pct", 1.5))
	s.until(1, 60)
	s.expect("60 opened MH-1 explosive_gas")
	en, zh := s.became(61, s.says("MH-1", 61, "methane_pct", 3.0))
	same(t, en, `It went from major to critical at 2026-01-01 08:01:01, as methane_pct > 2.5 held (rule explosive_gas, rule set VERSION).
What decided was methane_pct: 3 %, and its bound 2.5 %.
methane_pct was 3 % at 2026-01-01 08:01:01; its limit is 1.25 %, the rule's default.
`)
	if want := "于 2026-01-01 08:01:01 由“严重”升为“紧急”：methane_pct > 2.5 成立（规则 explosive_gas，规则集版本 VERSION）。\n"; !strings.HasPrefix(zh, want) {
		t.Errorf("got\n%swant first\n%s", zh, want)
	}
	en, _ = s.became(62, s.says("MH-1", 62, "methane_pct", 1.9))
	if want := "It went from critical to major at 2026-01-01 08:01:02, as methane_pct < 2.0 held (rule explosive_gas, rule set VERSION).\nWhat decided was methane_pct: 1.9 %, and its bound 1.25 %.\n"; !strings.HasPrefix(en, want) {
		t.Errorf("got\n%swant first\n%s", en, want)
	}
	s.step(63, s.says("MH-1", 63, "methane_pct", 0.5))
	for sec := 64; en == "" || sec == 64; sec++ {
		if en, zh = s.became(float64(sec)); sec > 700 {
			t.Fatal("it does not close")
		}
	}
	same(t, en, `From 2026-01-01 08:01:03 on methane_pct < 0.8 * limit_methane_pct held; that lasted 10 minutes, and the ticket was closed at 2026-01-01 08:11:03 (rule explosive_gas, rule set VERSION).
methane_pct was 0.5 % at 2026-01-01 08:01:03; its limit is 1.25 %, the rule's default.
`)
	if want := "自 2026-01-01 08:01:03 起methane_pct < 0.8 * limit_methane_pct 成立；持续 10 分钟后，于 2026-01-01 08:11:03 结案（规则 explosive_gas，规则集版本 VERSION）。\n"; !strings.HasPrefix(zh, want) {
		t.Errorf("got\n%swant first\n%s", zh, want)
	}
}

func TestWorseWordsSayWhy(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "lift_mm", 45.0, "tilt_deg", 2.0))
	s.until(1, 2)
	en, zh := s.became(3, s.says("MH-1", 3, "cover_missing", true))
	if want := "Something worse was to be seen at 2026-01-01 08:00:03, as cover_missing held (rule cover_displaced, rule set VERSION).\n"; !strings.HasPrefix(en, want) || !strings.Contains(en, "lift_mm was 45 mm") {
		t.Errorf("got\n%swant first\n%s", en, want)
	}
	if want := "于 2026-01-01 08:00:03 出现更严重的情形：cover_missing 成立"; !strings.HasPrefix(zh, want) {
		t.Errorf("got\n%swant first\n%s", zh, want)
	}
}

func TestAnOpeningAtAStepSaysSo(t *testing.T) {
	s := tell(t)
	s.step(0, s.census(registry.Facility{ID: "BR-1", Kind: devices.Bridge, Limits: map[string]float64{"displacement_mm": 10, "displacement_mm_2": 20, "displacement_mm_3": 30}}), s.says("BR-1", 0, "displacement_mm", 25.0))
	s.until(1, 2)
	en, _ := s.why(3)
	for _, want := range []string{"It is major, as abs(displacement_mm) > limit_displacement_mm_2 ||", "What decided was displacement_mm: 25 mm, and its bound 20 mm.\n"} {
		if !strings.Contains(en, want) {
			t.Errorf("got\n%swant in it\n%s", en, want)
		}
	}
}

func TestTheEndOfSilenceAndOfACommonCauseIsExplained(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nsilent: 3\nfor: 5s")
	s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole, ExpectS: 120}), s.says("A", 0, "tilt_deg", 1.0))
	s.until(1, 370)
	s.expect("365 opened A it")
	en, _ := s.became(371, s.says("A", 371, "tilt_deg", 1.0))
	same(t, en, "From 2026-01-01 08:06:11 on it was heard again; that lasted 0 s, and the ticket was closed at 2026-01-01 08:06:11 (rule it, rule set VERSION).\n")

	s = under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 2, share: 0.5}")
	fs := tree(1, 4)
	s.step(0, s.census(fs...))
	s.step(1, s.says(string(fs[0].ID), 1, "lamp_failure", true), s.says(string(fs[1].ID), 1, "lamp_failure", true))
	en, _ = s.became(2, s.says(string(fs[0].ID), 2, "lamp_failure", false), s.says(string(fs[1].ID), 2, "lamp_failure", false))
	same(t, en, "From 2026-01-01 08:00:02 on only 0 of 4 facilities were still bad by rule out, less than half of what it takes; that lasted 0 s, and the ticket was closed at 2026-01-01 08:00:02 (rule surge, rule set VERSION).\n")
}

func TestATicketWhoseRuleIsTakenOutSaysSo(t *testing.T) {
	s := tell(t)
	s.step(0, s.says("MH-1", 0, "cover_open", true))
	s.expect("0 opened MH-1 cover_displaced")
	en, _ := s.became(1, devices.Item{Type: devices.ItemRuleSet, Control: []byte("groups:\n  - kind: bridge\n    rules:\n      - {name: it, when: displacement_mm > 1.0, severity: minor, summary: {zh: 甲, en: a}}\n")})
	same(t, en, "It was closed at 2026-01-01 08:00:01, as rule set VERSION no longer has rule cover_displaced: not verified.\n")
}

// What other rules no longer find in what is known is closed by them, unless a reading
// says so too while clear_for runs.
func TestATicketThatIsOverByOtherRulesSaysSo(t *testing.T) {
	patient := func(limit int) devices.Item {
		it := tilts(limit)
		it.Control = []byte(strings.ReplaceAll(string(it.Control), "severity: minor", "severity: minor, clear_for: 1m"))
		return it
	}
	for what, heard := range map[string]bool{"silence": false, "a reading": true} {
		s := tell(t)
		s.step(0, patient(5))
		s.step(1, s.says("MH-1", 1, "tilt_deg", 8.0))
		s.step(20, patient(9))
		s.e = restarted(t, s.e, s.seq)
		if heard {
			s.step(30, s.says("MH-1", 30, "tilt_deg", 8.0))
		}
		s.until(31, 79)
		en, zh := s.became(80)
		want := "From 2026-01-01 08:00:20 on tilt_deg > 9.0 held no longer, by what was known once the rules or the limits had changed; that lasted 60 s, and the ticket was closed at 2026-01-01 08:01:20 (rule it, rule set VERSION).\n"
		if heard {
			want = "From 2026-01-01 08:00:01 on tilt_deg > 9.0 held no longer; that lasted"
		}
		if !strings.HasPrefix(en, want) {
			t.Errorf("%s: got\n%swant first\n%s", what, en, want)
		}
		if want := "自 2026-01-01 08:00:20 起规则或限值变更后，按已知数据 tilt_deg > 9.0 不再成立；"; strings.HasPrefix(zh, want) == heard {
			t.Errorf("%s: got\n%s", what, zh)
		}
	}
}

func TestWorseWordsByOtherRulesSaySo(t *testing.T) {
	worded := func(bound string) devices.Item {
		return devices.Item{Type: devices.ItemRuleSet, Control: []byte("groups:\n  - kind: manhole\n    rules:\n      - {name: it, when: tilt_deg > 5.0, severity: minor, summary: {zh: 甲, en: a}, wording: [{when: tilt_deg > " + bound + ", zh: 乙, en: b}]}\n")}
	}
	s := tell(t)
	s.step(0, worded("20.0"))
	s.step(1, s.says("MH-1", 1, "tilt_deg", 8.0))
	en, _ := s.became(20, worded("7.0"))
	if want := "Something worse was to be seen at 2026-01-01 08:00:20, as tilt_deg > 7.0 held, by what was known once the rules or the limits had changed (rule it, rule set VERSION).\n"; !strings.HasPrefix(en, want) {
		t.Errorf("got\n%swant first\n%s", en, want)
	}
}
