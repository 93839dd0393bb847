package rules

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// why is the sentences of the ticket that a frame opens, in English and Chinese.
func (s *story) why(sec float64, items ...devices.Item) (en, zh string) {
	s.t.Helper()
	for _, x := range s.transitions(sec, items...) {
		if x.Type != Opened {
			continue
		}
		return s.sentences(x.Evidence)
	}
	s.t.Fatalf("nothing opened at %g", sec)
	return "", ""
}

// sentences is what evidence says after the desk has kept it.
func (s *story) sentences(x *Evidence) (en, zh string) {
	s.t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		s.t.Fatal(err)
	}
	var kept Evidence // as the desk keeps it
	if err := json.Unmarshal(b, &kept); err != nil {
		s.t.Fatal(err)
	}
	for _, t := range kept.Sentences(time.FixedZone("CST", 8*3600)) {
		en, zh = en+t.EN+"\n", zh+t.ZH+"\n"
	}
	return strings.ReplaceAll(en, s.e.set.version, "VERSION"), strings.ReplaceAll(zh, s.e.set.version, "VERSION")
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestATicketSaysWhichValuesAndLimitsDecidedIt(t *testing.T) {
	s := by(t, devices.Manhole, `severity: minor
		when: tilt_deg > limit_tilt_deg || water_level_m > limit_water_level_m || cover_open || flooded
		limits: {tilt_deg: {default: 15, models: {ACME-7: 10}}, water_level_m: census}
		for: 2s`)
	s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole, Model: "ACME-7"}), s.says("A", 0, "tilt_deg", 12.5, "cover_open", false))
	s.step(1)
	en, zh := s.why(2)
	same(t, en, `Rule it decided it (rule set VERSION).
Its condition: tilt_deg > limit_tilt_deg || water_level_m > limit_water_level_m || cover_open || flooded
What decided was tilt_deg: 12.5 deg, and its bound 10 deg.
cover_open was no at 2026-01-01 08:00:00.
flooded was never reported, as if there was no such sensor.
tilt_deg was 12.5 deg at 2026-01-01 08:00:00; its limit is 10 deg, its model's.
It held since 2026-01-01 08:00:00; it has to last 2 s, and the ticket was opened at 2026-01-01 08:00:02.
`)
	for _, part := range []string{"由规则 it 判定", "（tilt_deg）为 12.5 deg（2026-01-01 08:00:00）；限值 10 deg，该型号限值。", "（flooded）从未上报，视为没有该传感器。", "持续 2 秒后，于 2026-01-01 08:00:02 立案。"} {
		if !strings.Contains(zh, part) {
			t.Errorf("got\n%swant %s in it", zh, part)
		}
	}
}

func TestATicketSaysWhyItDidNotWait(t *testing.T) {
	s := tell(t)
	en, _ := s.why(1, s.says("MH-1", 1, "cover_open", true))
	if want := "It held since 2026-01-01 08:00:01; as cover_open || cover_missing held too, 2 s was not waited for.\n"; !strings.HasSuffix(en, want) {
		t.Errorf("got\n%swant at its end\n%s", en, want)
	}
}

func TestATicketSaysThatItIsAboutSilence(t *testing.T) {
	s := by(t, devices.Manhole, "severity: minor\nsilent: 3\nfor: 5s")
	s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole, ExpectS: 120}), s.says("A", 0, "tilt_deg", 1.0))
	s.until(1, 364)
	en, zh := s.why(365)
	same(t, en, `Rule it decided it (rule set VERSION).
Nothing was heard since 2026-01-01 08:00:00; a message is expected every 2 minutes, and 3 times that counts as silence.
It held since 2026-01-01 08:06:00; it has to last 5 s, and the ticket was opened at 2026-01-01 08:06:05.
`)
	same(t, zh, `由规则 it 判定（规则集版本 VERSION）。
自 2026-01-01 08:00:00 起没有收到任何消息；应每 2 分钟上报一次，超过 3 倍即视为失联。
自 2026-01-01 08:06:00 起成立；持续 5 秒后，于 2026-01-01 08:06:05 立案。
`)
}

func TestATicketAboutSilenceNamesTheOutageInBetween(t *testing.T) {
	about := func(t *testing.T, between func(s *story), opens int) (en, zh string) {
		s := by(t, devices.Manhole, "severity: minor\nsilent: 3\nfor: 5s")
		s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole, ExpectS: 10}), s.link("a", true, 0))
		s.step(1, via("a", s.says("A", 1, "tilt_deg", 1.0)))
		between(s)
		s.ticks(int(s.e.wall-start)/1000+1, opens-1, "a")
		s.expect()
		return s.why(float64(opens))
	}
	t.Run("the broker was away for a moment", func(t *testing.T) {
		en, zh := about(t, func(s *story) {
			s.until(2, 7)
			s.step(8, s.link("a", false, 8))
			s.until(9, 10)
			s.step(11, s.link("a", true, 11))
			s.until(12, 14)
			s.step(15, s.link("a", false, 14))
			s.until(16, 19)
			s.step(20, s.link("a", true, 20))
		}, 45)
		same(t, en, `Rule it decided it (rule set VERSION).
Nothing was heard since 2026-01-01 08:00:01; a message is expected every 10 s, and 3 times that counts as silence.
From 2026-01-01 08:00:14 to 2026-01-01 08:00:20 nothing could be heard of it: Lamplighter did not run, or its link a was down, as for 3 s before; that does not count.
It held since 2026-01-01 08:00:40; it has to last 5 s, and the ticket was opened at 2026-01-01 08:00:45.
`)
		if want := "\n其间自 2026-01-01 08:00:14 至 2026-01-01 08:00:20 接收中断（本系统未运行或接入 a 断开），无法收到任何消息，此前另中断 3 秒；中断时间不计入。\n"; !strings.Contains(zh, want) {
			t.Errorf("got\n%swant%s", zh, want)
		}
	})
	t.Run("the daemon was away for long", func(t *testing.T) {
		en, zh := about(t, func(s *story) {
			s.ticks(2, 9, "a")
			s.step(60, s.link("a", true, 60))
		}, 95)
		same(t, en, `Rule it decided it (rule set VERSION).
Nothing was heard since 2026-01-01 08:00:01; a message is expected every 10 s, and 3 times that counts as silence.
From 2026-01-01 08:00:09 to 2026-01-01 08:01:00 nothing could be heard of it: Lamplighter did not run, or its link a was down; from then on it had its time anew.
It held since 2026-01-01 08:01:30; it has to last 5 s, and the ticket was opened at 2026-01-01 08:01:35.
`)
		if want := "\n其间自 2026-01-01 08:00:09 至 2026-01-01 08:01:00 接收中断（本系统未运行或接入 a 断开），无法收到任何消息；恢复后重新计时。\n"; !strings.Contains(zh, want) {
			t.Errorf("got\n%swant%s", zh, want)
		}
	})
}

func TestATicketOfACommonCauseSaysHowManyWereBad(t *testing.T) {
	s := under(t, out, "name: surge, collapse: {of: out, by: circuit, at_least: 2, share: 0.5, within: 1m}")
	fs := tree(1, 4)
	s.step(0, s.census(fs...))
	en, zh := s.why(1, s.says(string(fs[0].ID), 1, "lamp_failure", true), s.says(string(fs[1].ID), 1, "lamp_failure", true))
	same(t, en, `Rule surge decided it (rule set VERSION).
2 of the 4 facilities of the circuit were bad at once by rule out, within 60 s of each other; it takes at least 2 and 50%.
It held since 2026-01-01 08:00:01 and needs not last.
`)
	if want := "该回路下 4 个设施中有 2 个同时触发规则 out（60 秒内）；至少需 2 个且占 50%。\n"; !strings.Contains(zh, want) {
		t.Errorf("got\n%swant %s in it", zh, want)
	}
}

func TestATicketSaysWhichWindowKeptItBack(t *testing.T) {
	for name, end := range map[string]func(s *story) []devices.Item{
		"at its end": func(*story) []devices.Item { return nil },
		"ended early": func(s *story) []devices.Item {
			return []devices.Item{s.window(Window{Facility: "A"}, 0, 18)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := by(t, devices.Manhole, "severity: minor\nwhen: cover_open\nfor: 1s")
			to := int64(18)
			if end(s) != nil {
				to = 1000
			}
			s.step(0, s.census(registry.Facility{ID: "A", Kind: devices.Manhole}), s.window(Window{Facility: "A"}, 0, to), s.window(Window{ID: "other", Rule: "other"}, 0, 18), s.says("A", 0, "cover_open", true))
			s.until(1, 17)
			en, zh := s.why(18, end(s)...)
			if !strings.HasSuffix(en, "\nMaintenance window W (test, chen) kept it back until 2026-01-01 08:00:18.\n") || !strings.HasSuffix(zh, "\n维护窗口 W（test，chen）期间不立案，至 2026-01-01 08:00:18 结束。\n") {
				t.Errorf("got\n%s%s", en, zh)
			}
		})
	}
}
