package rules

import (
	"strings"
	"testing"

	"lamplighter/devices"
)

func TestTheWordsOfATicketSayWhatIsToBeSeen(t *testing.T) {
	ts, err := ReadTrials("testdata/trials/wording.test.yml", "Asia/Shanghai", tell(t).dict)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range ts.tests {
		hs, err := x.play(NewEngine(ts.set, ts.dict, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hs {
			if h.Type == Opened {
				got = append(got, h.Summary.ZH+" "+h.Summary.EN)
			}
		}
	}
	if got, want := strings.Join(got, "\n"), "井盖缺失 Cover missing\n井盖开启 Cover open\n井盖倾斜 Cover tilted\n井盖上抬 Cover lifted\n井盖沉降 Cover sunk"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// said is the words of the tickets that a frame opens or changes, + where they are
// worse than before.
func (s *story) said(sec float64, items ...devices.Item) string {
	s.t.Helper()
	var out []string
	for _, x := range s.transitions(sec, items...) {
		switch {
		case x.Type == Changed && x.Worded:
			out = append(out, "+ "+x.Summary.EN)
		case x.Type == Changed || x.Type == Opened:
			out = append(out, x.Summary.EN)
		}
	}
	return strings.Join(out, ", ")
}

// Of a cover that is lifted, and away in the end, the ticket says so when it gets
// worse: once, though it comes and goes, and though the daemon is started again.
func TestTheWordsOfATicketFollowWhatGetsWorse(t *testing.T) {
	s := tell(t)
	again := func() { s.e = restarted(t, s.e, s.seq) }
	s.step(0, s.says("MH-1", 0, "lift_mm", 45.0, "tilt_deg", 2.0))
	for i, x := range []struct {
		says []any
		want string
	}{
		{[]any{"lift_mm", 45.0}, "Cover lifted"},
		{[]any{"cover_open", true}, "+ Cover open"},
		{[]any{"cover_open", false}, ""},
		{[]any{"cover_open", true, "tilt_deg", 40.0}, ""},
		{[]any{"cover_missing", true}, "+ Cover missing"},
		{[]any{"cover_missing", false, "cover_open", false}, ""},
		{[]any{"cover_missing", true}, ""},
	} {
		sec := float64(3 + i)
		same(t, s.said(sec, s.says("MH-1", sec, x.says...)), x.want)
		again()
	}
}

func TestAStepKeepsTheWordsOfATicket(t *testing.T) {
	s := by(t, devices.Manhole, `severity: minor
		when: h2s_ppm > 10.0 || co_ppm > 35.0
		steps: [{severity: critical, when: h2s_ppm > 50.0 || co_ppm > 200.0}]
		wording: [{when: h2s_ppm > 10.0, zh: 硫, en: sulphide}, {when: co_ppm > 35.0, zh: 碳, en: monoxide}]`)
	same(t, s.said(0, s.says("MH-1", 0, "tilt_deg", 1.0, "co_ppm", 40.0)), "monoxide")
	same(t, s.said(1, s.says("MH-1", 1, "co_ppm", 210.0)), "monoxide")
	same(t, s.said(2, s.says("MH-1", 2, "h2s_ppm", 11.0)), "+ sulphide")
	same(t, s.said(3, s.says("MH-1", 3, "co_ppm", 40.0)), "sulphide")
}

// Without words of its own, another quantity that decides changes nothing that
// anybody is paged for: so what is back with another is the same story too.
func TestAnotherQuantityAtTheSameSeverityIsNoNews(t *testing.T) {
	s := by(t, devices.Manhole, `severity: critical
		when: h2s_ppm > 10.0 || co_ppm > 35.0`)
	same(t, s.said(0, s.says("MH-1", 0, "tilt_deg", 1.0, "h2s_ppm", 20.0, "co_ppm", 1.0)), "a")
	same(t, s.said(1, s.says("MH-1", 1, "h2s_ppm", 20.0, "co_ppm", 400.0)), "")
	same(t, s.said(2, s.says("MH-1", 2, "h2s_ppm", 1.0, "co_ppm", 400.0)), "")
}
