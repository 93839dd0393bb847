package rules

import (
	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// reader reads one rule file, or one of tests.
type reader struct {
	*strict.Reader
	taken bool // see parse
}

func read(file string, text []byte) *reader { return &reader{Reader: strict.New(file, text)} }

// kinds are the words for those of facilities.
var kinds = []string{devices.Manhole.String(), devices.Streetlight.String(), devices.Bridge.String()}

func (r *reader) kind(to *devices.Kind) func(*yaml.Node) {
	return r.Choice("kind", kinds, func(s string) {
		if k, err := devices.ParseKind(s); err == nil {
			*to = k
		}
	})
}

func (r *reader) severity(what string, to *Severity) func(*yaml.Node) {
	words := make([]string, len(severities))
	for i, s := range severities {
		words[i] = string(s)
	}
	return r.Choice(what, words, func(s string) { *to = Severity(s) })
}
