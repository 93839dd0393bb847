package strict

import (
	"fmt"
	"strings"

	"lamplighter/devices"
)

// Mistake is one thing that is wrong with a file, a devices.ErrInvalid. Lines and
// columns count from 1; 0 = not known.
type Mistake struct {
	File   string
	Line   int
	Column int
	About  string // what it is about, such as "rule cover_open"; "" = the file
	Msg    string // what was found, what is wanted
}

// Error is file:line:column: about: what.
func (m *Mistake) Error() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d", m.Line)
	}
	if m.Column > 0 {
		fmt.Fprintf(&b, ":%d", m.Column)
	}
	b.WriteString(": ")
	if m.About != "" {
		b.WriteString(m.About + ": ")
	}
	b.WriteString(m.Msg)
	return b.String()
}

// Unwrap tells the kind of error.
func (m *Mistake) Unwrap() error { return devices.ErrInvalid }

// Mistakes is all that is wrong with a set of files, in their order. It is a
// devices.ErrInvalid.
type Mistakes []*Mistake

// Error is one line for each.
func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i, x := range m {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap tells the kind of error.
func (m Mistakes) Unwrap() error { return devices.ErrInvalid }
