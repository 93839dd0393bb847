package uplog

import "unsafe"

// text is b as a string without a copy: frames never change.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
