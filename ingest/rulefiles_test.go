package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/rules"
	"lamplighter/rules/lighting"
)

const twoRules = "groups:\n  - {kind: streetlight, rules: [{name: lamp_blue, when: lamp_failure, severity: minor, summary: {zh: 蓝, en: Blue}}]}\n  - kind: manhole\n    rules:\n      - {name: tilted, when: tilt_deg > 10, severity: minor, summary: {zh: 倾斜, en: Tilted}}\n"

func TestABadRuleFileChangesNothingAndSaysWhy(t *testing.T) {
	dict, err := newDictionary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "city.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(twoRules)
	set, err := loadRules([]string{file}, "Asia/Shanghai", dict)
	if err != nil {
		t.Fatal(err)
	}
	rates, err := lighting.Parse("city.yml", []byte("rates: [{name: lit, version: \"1\", title: {zh: z, en: e}, instants: [midnight], faults: [lamp_blue, lamp_out]}]"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var on []string // guarded by mu
		var fail error  // guarded by mu
		r := &ruleFiles{paths: []string{file}, zone: "Asia/Shanghai", dict: dict, log: zerolog.Nop(), fits: rates.Check, switchOn: func(_ context.Context, text []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if fail == nil {
				on = append(on, string(text))
			}
			return fail
		}}
		ctx, cancel := context.WithCancel(t.Context())
		hup := make(chan os.Signal, 1)
		go r.run(ctx, set, hup)
		synctest.Wait()
		is := func(n int, trouble string) {
			t.Helper()
			time.Sleep(2*rulesEvery + time.Millisecond)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(on) != n || (trouble == "") != (r.health() == "") || !strings.Contains(r.health(), trouble) {
				t.Errorf("%d sets switched on, trouble %q; want %d, %q", len(on), r.health(), n, trouble)
			}
		}
		is(1, "")
		write(strings.Replace(twoRules, "tilt_deg", "tilt_degg", 1))
		is(1, "city.yml:5:30: rule tilted: when: tilt_degg is no channel of a manhole; did you mean tilt_deg?")
		write(strings.Replace(twoRules, "lamp_blue", "lamp_red", 1)) // a rule is gone by which a rate counts
		is(1, "city.yml:1:89: rate lit: faults: lamp_blue is no rule for streetlights that is loaded")
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
		is(1, "no such file")
		refuse := func(err error) { mu.Lock(); fail = err; mu.Unlock() }
		refuse(errors.New("the log is full"))
		write(strings.Replace(twoRules, "10", "12", 1))
		is(1, "no such file")
		refuse(nil)
		is(2, "")
		mu.Lock()
		if !strings.Contains(on[1], "tilt_deg > 12") {
			t.Errorf("switched on: %s", on[1])
		}
		mu.Unlock()
		hup <- os.Interrupt // any signal: read again, the same set once more
		is(3, "")
		for _, half := range []string{"", strings.Replace(twoRules, "10", "1", 1)} { // an editor is at it: one look finds what the next does not
			write(half)
			time.Sleep(rulesEvery)
			write(strings.Replace(twoRules, "10", "12", 1))
			is(3, "")
		}
		write("")
		is(3, "city.yml:1: the file has no rule")
		write(twoRules)
		is(4, "")
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
		is(4, "no such file")
		write(twoRules) // as it was
		is(5, "")
		cancel()
		synctest.Wait()
	})
	if _, err := rules.Parse([]byte(set.Text()), dict); err != nil {
		t.Error(err)
	}
}

func TestRulesTestEndsBadlyWhenATestFails(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"rules", "test", "../deploy/rules"}, nil, &out); err != nil || !strings.Contains(out.String(), "\ngood: ") {
		t.Errorf("%v\n%s", err, out.String())
	}
	err := run(t.Context(), []string{"rules", "test", "../rules/default"}, nil, &out)
	if err == nil || !strings.Contains(err.Error(), "no file of tests") {
		t.Error(err)
	}
	err = run(t.Context(), []string{"rules", "test", "../rules/testdata/trials/wrong.test.yml"}, nil, &out)
	if err == nil || !strings.Contains(err.Error(), "2 of 2") || !strings.Contains(out.String(), "+ happened at 2s") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestAWordOfTheLightingRatesThatMeansNothingIsNamed: check-config and the start of
// the daemon say the same of it.
func TestAWordOfTheLightingRatesThatMeansNothingIsNamed(t *testing.T) {
	data := t.TempDir()
	file, conf := filepath.Join(data, "lighting.yml"), filepath.Join(data, "conf.yml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := string(lighting.Default())
	write(conf, "lighting: {definitions: "+file+"}\n")
	write(file, "found: [bird_nest]\n"+strings.Replace(good, "except: [", "except: [bird_nest, ", 1))
	var out bytes.Buffer
	if err := run(t.Context(), []string{"check-config", conf}, nil, &out); err != nil {
		t.Errorf("a word of the city's own: %v", err)
	}
	write(file, strings.Replace(good, "faults: [lamp_out,", "faults: [lamp_outt,", 1))
	want := "rate lit: faults: lamp_outt is no rule for streetlights that is loaded, and nothing that people find; did you mean lamp_out?"
	err := run(t.Context(), []string{"check-config", conf}, nil, &out)
	if err == nil || !strings.Contains(err.Error(), file+":") || !strings.Contains(err.Error(), want) {
		t.Errorf("check-config: %v", err)
	}
	cmd := exec.Command(os.Args[0], "--config", conf, "--data", data, "--mqtt", freeAddr(t), "--http", freeAddr(t))
	cmd.Env = append(os.Environ(), beDaemon+"=1")
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), want) {
		t.Errorf("the daemon: %v\n%s", err, text)
	}
}

func TestRulesCheckSaysHowManyRulesAreGood(t *testing.T) {
	file := filepath.Join(t.TempDir(), "one.yml")
	_, one, _ := strings.Cut(twoRules, "}}]}\n")
	if err := os.WriteFile(file, []byte("groups:\n"+one), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{file: "good: 1 rule, version ", "default": " rules, version "} {
		if got := string(tool(t, "rules", "check", args)); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAReplayOfWhatIsStillToComeSaysSo(t *testing.T) {
	for to, want := range map[string]string{"": "--from 2999-01-01 is still to come", "--to=2998-01-01": "--to 2998-01-01 lies before --from 2999-01-01"} {
		args := []string{"rules", "replay", "--data", t.TempDir(), "--from=2999-01-01"}
		if to != "" {
			args = append(args, to)
		}
		if err := run(t.Context(), args, nil, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", to, err, want)
		}
	}
}

func TestAReplayEndsNow(t *testing.T) {
	p := pastReplay{cmd: &rulesReplayCmd{From: "2020-01-01", To: "2999-01-01"}, zone: time.UTC}
	if err := p.times(); err != nil || p.span.To.After(time.Now()) || time.Since(p.span.To) > time.Hour {
		t.Errorf("it ends at %s (%v), want now", p.span.To, err)
	}
}
