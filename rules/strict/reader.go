package strict

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Reader reads one file and gathers what is wrong with it.
type Reader struct {
	About string   // what is being read, see [Mistake]
	Wrong Mistakes // so far
	file  string
	text  string
	lines []string
}

// New returns a reader of a file's text; mistakes name the file.
func New(file string, text []byte) *Reader {
	return &Reader{file: file, text: string(text), lines: strings.Split(string(text), "\n")}
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// Documents calls fn with the root of each document of the file that holds
// something.
func (r *Reader) Documents(fn func(*yaml.Node)) {
	d := yaml.NewDecoder(strings.NewReader(r.text))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line := 0
			msg := strings.TrimPrefix(err.Error(), "yaml: ")
			if m := yamlLine.FindStringSubmatchIndex(msg); m != nil {
				line, _ = strconv.Atoi(msg[m[2]:m[3]])
				msg = msg[:m[0]] + msg[m[1]:]
			}
			r.FailAt(line, 0, "this is no YAML: %s", msg)
			return
		}
		if len(doc.Content) > 0 {
			fn(doc.Content[0])
		}
	}
}

// Fail notes a mistake at a node.
func (r *Reader) Fail(n *yaml.Node, format string, args ...any) {
	r.FailAt(n.Line, n.Column, format, args...)
}

// FailAt notes a mistake at a line and column, 0 = not known.
func (r *Reader) FailAt(line, column int, format string, args ...any) {
	r.Wrong = append(r.Wrong, &Mistake{File: r.file, Line: line, Column: column, About: r.About, Msg: fmt.Sprintf(format, args...)})
}

// Where is the file and line of a node, file:line.
func (r *Reader) Where(n *yaml.Node) string { return fmt.Sprintf("%s:%d", r.file, n.Line) }

// Fields says what to do with each key of a mapping.
type Fields map[string]func(*yaml.Node)

// Mapping reads a mapping with known keys; false if n is none.
func (r *Reader) Mapping(n *yaml.Node, what string, fs Fields) bool {
	return r.Entries(n, what, func(k, v *yaml.Node) {
		if fn := fs[k.Value]; fn != nil {
			fn(v)
			return
		}
		r.Fail(k, "%s: unknown key %s%s", what, k.Value, Meant(k.Value, slices.Sorted(maps.Keys(fs))))
	})
}

// Entries reads a mapping whose keys are names of the writer's own; false if n
// is none.
func (r *Reader) Entries(n *yaml.Node, what string, fn func(k, v *yaml.Node)) bool {
	n = follow(n)
	if n.Kind != yaml.MappingNode {
		r.Fail(n, "%s: found %s; want keys and values", what, Shape(n))
		return false
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if line, ok := seen[k.Value]; ok {
			r.Fail(k, "%s: %s comes twice, first in line %d", what, k.Value, line)
			continue
		}
		seen[k.Value] = k.Line
		fn(k, follow(v))
	}
	return true
}

// List reads a list.
func (r *Reader) List(n *yaml.Node, what string, fn func(*yaml.Node)) {
	n = follow(n)
	if n.Kind != yaml.SequenceNode {
		r.Fail(n, "%s: found %s; want a list: lines that begin with a dash", what, Shape(n))
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

// Shape is what stands at a node, for "found …".
func Shape(n *yaml.Node) string {
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

// Text reads a text.
func (r *Reader) Text(what string, to *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			r.Fail(n, "%s: found %s; want text", what, Shape(n))
			return
		}
		*to = n.Value
	}
}

// maxDuration bounds what a rule waits for.
const maxDuration = 366 * 24 * time.Hour

// Duration reads a time with its unit, at most a year.
func (r *Reader) Duration(what string, to *time.Duration) func(*yaml.Node) {
	return func(n *yaml.Node) {
		d, err := time.ParseDuration(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode || err != nil && n.Tag != "!!int" && n.Tag != "!!float":
			r.Fail(n, "%s: found %s; want a duration such as 30s, 5m or 12h%s", what, Shape(n), inHours(n.Value))
		case err != nil || n.Tag == "!!int":
			r.Fail(n, "%s: found %s, which has no unit; write %ss for seconds", what, n.Value, n.Value)
		case d < 0 || d > maxDuration:
			r.Fail(n, "%s: found %s; want 0s to %s", what, n.Value, maxDuration)
		default:
			*to = d
		}
	}
}

var days = regexp.MustCompile(`^([0-9]{1,3}) ?d(ays?)?$`)

// inHours is the cure of a duration in days.
func inHours(s string) string {
	m := days.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	n, _ := strconv.Atoi(m[1])
	return fmt.Sprintf("; write %dh", 24*n)
}

// Number reads a number from least to most.
func (r *Reader) Number(what string, least, most float64, to *float64) func(*yaml.Node) {
	return r.Quantity(what, "", least, most, to)
}

// Quantity reads a number, from least to most, that means so many of a unit.
func (r *Reader) Quantity(what, unit string, least, most float64, to *float64) func(*yaml.Node) {
	in := ""
	if unit != "" {
		in = ", in " + unit
	}
	return func(n *yaml.Node) {
		x, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil || !(x >= least && x <= most) {
			r.Fail(n, "%s: found %s; want a number from %g to %g%s", what, Shape(n), least, most, in)
			return
		}
		*to = x
	}
}

// Choice reads one word of several.
func (r *Reader) Choice(what string, words []string, to func(string)) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
			r.Fail(n, "%s: found %s; want %s%s", what, Shape(n), Either(words), Meant(n.Value, words))
			return
		}
		to(n.Value)
	}
}

// Place is the line and column in the file of the character that stands after
// before in the scalar n. YAML folds and indents, but keeps everything that is
// no space in its order.
func (r *Reader) Place(n *yaml.Node, before string) (line, column int) {
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
