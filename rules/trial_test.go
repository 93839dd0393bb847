package rules

import (
	"path/filepath"
	"strings"
	"testing"
)

// The rule files that a city may begin with, by their own tests.
func TestTheExamplesOfRulesPassTheirTests(t *testing.T) {
	s := tell(t)
	files, err := filepath.Glob("../deploy/rules/*.test.yml")
	files = append(files, "testdata/trials/long-tick.test.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files of tests (%v), want 2 at least", len(files), err)
	}
	for _, f := range files {
		x, err := ReadTrials(f, "Asia/Shanghai", s.dict)
		if err != nil {
			t.Fatal(err)
		}
		vs, err := x.Run()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range vs {
			if !v.Good() {
				t.Error(v.String())
			}
		}
	}
	ss, err := Sources([]string{"default", "../deploy/rules"}) // without their tests
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(Bundle("", ss), s.dict); err != nil || len(ss) != 6 {
		t.Errorf("%d files of rules, want 6: %v", len(ss), err)
	}
}

func TestATestSaysWhatItExpectedAndWhatHappened(t *testing.T) {
	x, err := ReadTrials("testdata/trials/wrong.test.yml", "Asia/Shanghai", tell(t).dict)
	if err != nil {
		t.Fatal(err)
	}
	vs, err := x.Run()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range vs {
		got = append(got, v.String())
	}
	const want = `FAIL testdata/trials/wrong.test.yml:3: what is expected does not happen
     - expected at 4s: opened cover_displaced of MH-1 (line 10)
     + happened at 2s: opened cover_displaced of MH-1, severity critical
FAIL testdata/trials/wrong.test.yml:12: the severity and the members count
     - expected at 33s: opened circuit_silent of CAB:C1, severity minor, members 3 (line 19)
     + happened at 33s: opened circuit_silent of CAB:C1, severity critical, members 4`
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("got\n%s\nwant\n%s", g, want)
	}
}

// What means nothing is told, not passed over.
func TestTestsThatMeanNothingAreRefused(t *testing.T) {
	for name, want := range map[string][]string{
		"mistakes-of-values": {
			`6:14: id: the test has a facility MH-1 already; want another id, or one facility with all that is said of it`,
			`8:53: tilt_deg: found "4", a text; want a number without quotes`,
			`9:53: tilt_deg: found "400"; want a number from 0 to 180, in deg`,
			`10:53: tilt_deg: found "four", a text; want a number without quotes`,
			`11:25: every: found 0s; want more than 0s, or no every and no until for what is said once`,
			`12:26: window.facility: the test has no facility MH-9`,
			`13:26: window: the cabinet is missing: found circuit C1, and each cabinet may have one; want cabinet: its id, beside circuit: invalid`,
		},
		"mistakes-of-windows": {
			`9:26: window.rule: found cover_displced, which is no rule that is in force; did you mean cover_displaced?`,
			`10:26: window.rule: found lamp_out, a rule for streetlight alone, in a window for manhole: it would keep nothing back`,
		},
	} {
		file := "testdata/trials/" + name + ".test.yml"
		_, err := ReadTrials(file, "Asia/Shanghai", tell(t).dict)
		if err == nil {
			t.Errorf("%s was taken", file)
			continue
		}
		if got, all := strings.ReplaceAll(err.Error(), file+":", ""), strings.Join(want, "\n"); got != all {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, all)
		}
	}
}

func TestMistakesInTestsAreNamedWithTheirPlace(t *testing.T) {
	_, err := ReadTrials("testdata/trials/mistakes.test.yml", "Asia/Shanghai", tell(t).dict)
	if err == nil {
		t.Fatal("it was taken")
	}
	for _, want := range []string{
		`:5:26: kind: found "tree"; want manhole, streetlight or bridge`,
		`:7:43: values: there is no channel tilt_degg; did you mean tilt_deg?`,
		`:7:9: the test has no facility MH-2`,
		`:8:55: cover_open: found "1"; want true or false`,
		`:9:9: every needs until, after at`,
		`:10:9: a line of the timeline needs one of values, silent and window`,
		`:11:26: window: the window is for the whole city`,
		`:13:14: at: found 1, which has no unit; write 1s for seconds`,
		`:14:18: expect: unknown key opend; did you mean opened?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got\n%v\nwant %s in it", err, want)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 9 {
		t.Errorf("%d mistakes, want 9:\n%v", n, err)
	}
}
