package registry

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"lamplighter/devices"
)

// LineError is what is wrong with one line of an import, and how to mend it.
type LineError struct {
	Line   int    `json:"line"` // of the file, from 1; of GeoJSON the number of the feature
	Column string `json:"column"`
	Value  string `json:"value"`
	Cure   string `json:"cure"`
}

// ImportError lists what is wrong with a file; nothing of it was taken. It is a
// devices.ErrInvalid.
type ImportError struct {
	Lines []LineError // at most maxMistakes
	More  int         // how many more there are
}

// maxMistakes is how many mistakes of a file are told at once.
const maxMistakes = 100

// Error names the mistakes.
func (e *ImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d mistakes; nothing was imported", len(e.Lines)+e.More)
	for _, l := range e.Lines {
		fmt.Fprintf(&b, "\n  line %d, %s: found %q; %s", l.Line, l.Column, l.Value, l.Cure)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n  and %d more", e.More)
	}
	return b.String()
}

// Unwrap makes it a devices.ErrInvalid.
func (e *ImportError) Unwrap() error { return devices.ErrInvalid }

func (e *ImportError) add(line int, col, val, cure string) {
	if len(e.Lines) >= maxMistakes {
		e.More++
		return
	}
	e.Lines = append(e.Lines, LineError{line, toValid(col), shown(val), cure})
}

// err is e if there are mistakes.
func (e *ImportError) err() error {
	if len(e.Lines) == 0 {
		return nil
	}
	return e
}

// shown is a value cut to what helps to find it.
func shown(s string) string {
	const most = 80
	s = toValid(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func toValid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
