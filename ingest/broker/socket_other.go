//go:build !unix

package broker

import "syscall"

const socketsAreFiles = false

// writeNow leaves everything to drain where sockets are no file descriptors.
func writeNow(uintptr, []byte) (int, error) { return 0, nil }

// readNow is never called: link reads through net.Conn on these systems.
func readNow(uintptr, []byte) (int, bool, error) { return 0, false, syscall.EINVAL }
