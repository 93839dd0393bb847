package rules

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader reads one rule file and gathers what is wrong with it.
type reader struct {
	file  string
	lines []string
	rule  string // the one that is being read
	wrong Mistakes
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.failAt(n.Line, n.Column, format, args...)
}

func (r *reader) failAt(line, column int, format string, args ...any) {
	r.wrong = append(r.wrong, &Mistake{File: r.file, Line: line, Column: column, Rule: r.rule, Msg: fmt.Sprintf(format, args...)})
}

// fields says what to do with each key of a mapping.
type fields map[string]func(*yaml.Node)

// mapping reads a mapping strictly; false if n is none.
func (r *reader) mapping(n *yaml.Node, what string, fs fields) bool {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		r.fail(n, "%s: found %s; want keys and values", what, shape(n))
		return false
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if line, ok := seen[k.Value]; ok {
			r.fail(k, "%s: %s comes twice, first in line %d", what, k.Value, line)
			continue
		}
		seen[k.Value] = k.Line
		fn := fs[k.Value]
		if fn == nil {
			r.fail(k, "%s: unknown key %s%s", what, k.Value, meant(k.Value, slices.Sorted(maps.Keys(fs))))
			continue
		}
		fn(follow(v))
	}
	return true
}

// list reads a list.
func (r *reader) list(n *yaml.Node, what string, fn func(*yaml.Node)) {
	n = follow(n)
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "%s: found %s; want a list: lines that begin with a dash", what, shape(n))
		return
	}
	for _, x := range n.Content {
		fn(follow(x))
	}
}

// follow is what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

func (r *reader) text(what string, to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			r.fail(n, "%s: found %s; want text", what, shape(n))
			return
		}
		*to = n.Value
	}
}

// maxDuration bounds what a rule waits for.
const maxDuration = 366 * 24 * time.Hour

func (r *reader) duration(what string, to *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d, err := time.ParseDuration(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode || err != nil && n.Tag != "!!int" && n.Tag != "!!float":
			r.fail(n, "%s: found %s; want a duration such as 30s, 5m or 12h", what, shape(n))
		case err != nil || n.Tag == "!!int":
			r.fail(n, "%s: found %s, which has no unit; write %ss for seconds", what, n.Value, n.Value)
		case d < 0 || d > maxDuration:
			r.fail(n, "%s: found %s; want 0s to %s", what, n.Value, maxDuration)
		default:
			*to = d
		}
	}
}

// number reads a number from least to most.
func (r *reader) number(what string, least, most float64, to *float64) func(*yaml.Node) {
	return func(n *yaml.Node) {
		x, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil || !(x >= least && x <= most) {
			r.fail(n, "%s: found %s; want a number from %g to %g", what, shape(n), least, most)
			return
		}
		*to = x
	}
}

// choice reads one word of several.
func (r *reader) choice(what string, words []string, to func(string)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
			r.fail(n, "%s: found %s; want %s%s", what, shape(n), either(words), meant(n.Value, words))
			return
		}
		to(n.Value)
	}
}

// either is "a, b or c".
func either(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// place is the line and column in the file of the character that stands after
// before in the scalar n. YAML folds and indents, but keeps everything that is
// no space in its order.
func (r *reader) place(n *yaml.Node, before string) (line, column int) {
	line, column = n.Line, n.Column
	switch n.Style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		line, column = line+1, 1
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		column++
	}
	solid := len(strings.Join(strings.Fields(before), ""))
	for ; line-1 < len(r.lines); line, column = line+1, 1 {
		for text := r.lines[line-1]; column-1 < len(text); column++ {
			if c := text[column-1]; c == ' ' || c == '\t' || c == '\r' {
				continue
			}
			if solid == 0 {
				return line, column
			}
			solid--
		}
	}
	return n.Line, n.Column
}
