package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/rules"
)

const oneRule = "groups:\n  - kind: manhole\n    rules:\n      - {name: tilted, when: tilt_deg > 10, severity: minor, summary: {zh: 倾斜, en: Tilted}}\n"

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
	write(oneRule)
	set, err := loadRules([]string{file}, "Asia/Shanghai", dict)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var on []string // guarded by mu
		var fail error  // guarded by mu
		r := &ruleFiles{paths: []string{file}, zone: "Asia/Shanghai", dict: dict, log: zerolog.Nop(), switchOn: func(_ context.Context, text []byte) error {
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
			time.Sleep(rulesEvery + time.Millisecond)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(on) != n || (trouble == "") != (r.health() == "") || !strings.Contains(r.health(), trouble) {
				t.Errorf("%d sets switched on, trouble %q; want %d, %q", len(on), r.health(), n, trouble)
			}
		}
		is(1, "")
		write(strings.Replace(oneRule, "tilt_deg", "tilt_degg", 1))
		is(1, "city.yml:4:30: rule tilted: when: tilt_degg is no channel of a manhole; did you mean tilt_deg?")
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
		is(1, "no such file")
		refuse := func(err error) { mu.Lock(); fail = err; mu.Unlock() }
		refuse(errors.New("the log is full"))
		write(strings.Replace(oneRule, "10", "12", 1))
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
		cancel()
		synctest.Wait()
	})
	if _, err := rules.Parse([]byte(set.Text()), dict); err != nil {
		t.Error(err)
	}
}

func TestRulesTestEndsBadlyWhenATestFails(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"rules", "test", "../deploy/rules/areas.test.yml", "../deploy/rules/covers.test.yml", "../deploy/rules/lamps.test.yml"}, nil, &out); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	err := run(t.Context(), []string{"rules", "test", "../rules/testdata/trials/wrong.test.yml"}, nil, &out)
	if err == nil || !strings.Contains(err.Error(), "2 of 2") || !strings.Contains(out.String(), "+ happened at 2s") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
