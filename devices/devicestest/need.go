// Package devicestest helps tests that need real programs beside them.
package devicestest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// NeedBinary finds a program in the path, in /usr/sbin or where deploy/test.sh
// builds what Debian does not have. Where it is missing
// the test is skipped with the reason, or fails under LAMPLIGHTER_TEST_ALL=1.
func NeedBinary(t testing.TB, name string) string {
	t.Helper()
	for _, n := range []string{name, "/usr/sbin/" + name, filepath.Join(os.Getenv("HOME"), ".cache/lamplighter-test", name)} {
		if p, err := exec.LookPath(n); err == nil {
			return p
		}
	}
	if os.Getenv("LAMPLIGHTER_TEST_ALL") == "1" {
		t.Fatalf("%s is not installed; deploy/test.sh installs it", name)
	}
	t.Skipf("%s is not installed; deploy/test.sh installs what this test needs", name)
	return ""
}
