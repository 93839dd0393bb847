package devicestest

import (
	"flag"
	"strconv"
	"testing"
)

// FewerChecks has rapid try a property n times instead of a hundred under the race
// detector, see Sized. What -rapid.checks says holds.
func FewerChecks(t testing.TB, n int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	if f == nil {
		t.Fatal("rapid is not linked into this test")
	}
	if !underRace || f.Value.String() != f.DefValue {
		return
	}
	set := func(s string) {
		if err := f.Value.Set(s); err != nil {
			t.Error(err)
		}
	}
	set(strconv.Itoa(n))
	t.Cleanup(func() { set(f.DefValue) })
}
