package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAFolderThatCannotBeUsedIsSaidAtOnce starts daemons and tools with folders
// that are in the way of themselves.
func TestAFolderThatCannotBeUsedIsSaidAtOnce(t *testing.T) {
	file := func(parts ...string) string {
		p := filepath.Join(append([]string{t.TempDir()}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	plain, log, store := file("data"), file("data", "log"), file("data", "store")
	for _, c := range []struct{ data, at, want string }{
		{plain, plain, "it is a file; want a folder"},
		{filepath.Join(plain, "below"), filepath.Join(plain, "below"), "something above it is a file; want folders"},
		{filepath.Dir(log), log, "it is a file; want a folder"},
		{filepath.Dir(store), store, "it is a file; want a folder"},
	} {
		for _, command := range [][]string{{"serve", "--mqtt=127.0.0.1:0", "--http=127.0.0.1:0"}, {"token", "--role=viewer"}} {
			var out bytes.Buffer
			err := run(t.Context(), append(command, "--data", c.data), nil, &out)
			if err == nil || !strings.Contains(err.Error(), "data folder "+c.at+": "+c.want) || !strings.Contains(err.Error(), "--data") {
				t.Errorf("%s of %s: got %v, want %q", command[0], c.data, err, c.want)
			}
		}
	}
}

func TestAFolderThatNobodyMayWriteInto(t *testing.T) {
	dir := smallDisk(t, 1)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := run(t.Context(), []string{"serve", "--data", dir}, nil, &out)
	if err == nil || !strings.Contains(err.Error(), "data folder "+dir+": user ") || !strings.Contains(err.Error(), "may not write into it (read-only file system)") {
		t.Errorf("got %v", err)
	}
}
