package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lamplighter/devices"
	"lamplighter/rules/strict"
)

// head is what stands before line and column (from 1 and 0) of a text.
func head(text string, line, column int) string {
	var b strings.Builder
	n := 1
	for l := range strings.Lines(text) {
		if n == line {
			runes := []rune(l)
			b.WriteString(string(runes[:min(column, len(runes))]))
			break
		}
		b.WriteString(l)
		n++
	}
	return b.String()
}

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	leftOver   = regexp.MustCompile(`^(?:extraneous|mismatched) input ('[^']*') expecting <EOF>`)
	overload   = regexp.MustCompile(`found no matching overload for '([^']*)' applied to '\(([^)]*)\)'`)
)

// explain says a message of the CEL compiler about what stands after before in
// words that lead to a cure.
func (x *expressions) explain(msg, before, text string) string {
	if m := undeclared.FindStringSubmatch(msg); m != nil {
		return x.l.stranger(m[1], x.c.dict, x.t.derivedNames()...)
	}
	m := overload.FindStringSubmatch(msg)
	if m == nil {
		return x.l.syntax(msg, before, text)
	}
	op := strings.Trim(m[1], "_@")
	types := strings.Split(m[2], ", ")
	for i := range types {
		types[i] = typeName(types[i])
	}
	if len(types) == 1 {
		return fmt.Sprintf("%s does not take a %s", op, types[0])
	}
	out := fmt.Sprintf("%s stands between a %s and a %s", op, types[0], types[1])
	cure := x.l.inUnit(before, text)
	switch {
	case types[0] == "number" && types[1] == "text" && cure != "":
		return out + cure
	case slices.Contains(types, "text"):
		return out + `; a text compares with a text only: "on"`
	case slices.Contains(types, "yes-or-no"):
		return out + "; a yes-or-no channel needs no comparison: write it alone, or ! before it"
	case slices.Contains(types, "whole number"):
		return out + "; write whole numbers with a point: 2.0"
	}
	return out + "; want two of one sort"
}

// syntax says what the CEL parser stumbled over.
func (l *language) syntax(msg, before, text string) string {
	msg = strings.TrimPrefix(strings.TrimSpace(msg), "Syntax error: ")
	if strings.HasPrefix(msg, "token recognition error at: '= ") {
		return "= compares nothing; write =="
	}
	if m := leftOver.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("found %s where the expression should end or go on with && or ||%s", m[1], l.inUnit(before, text))
	}
	if found, _, ok := strings.Cut(msg, " expecting {"); ok {
		found = strings.TrimPrefix(strings.TrimPrefix(found, "extraneous input "), "mismatched input ")
		return fmt.Sprintf("found %s where a channel, a number, ! or ( is wanted", found)
	}
	return msg
}

func typeName(cel string) string {
	switch cel {
	case "double":
		return "number"
	case "int", "uint":
		return "whole number"
	case "string":
		return "text"
	case "bool":
		return "yes-or-no"
	}
	return cel
}

// stranger says what may be meant by a word that is no variable of the kind.
func (l *language) stranger(word string, dict *devices.Dictionary, own ...string) string {
	bare, _ := tierOf(strings.TrimPrefix(word, limitPrefix))
	if ch := dict.Lookup([]byte(bare)); ch != nil && !ch.Unknown {
		if ch.Name != bare {
			return fmt.Sprintf("%s is another name of %s; write %s", bare, ch.Name, strings.TrimSuffix(word, bare)+ch.Name)
		}
		if l.channels[bare] == nil {
			return fmt.Sprintf("%s is no channel of a %s%s", bare, l.kind, otherKinds(bare))
		}
		return fmt.Sprintf("%s has no limit: it is no number", bare)
	}
	return fmt.Sprintf("%s is no channel of a %s%s", word, l.kind, strict.Meant(word, append(own, l.words...)))
}

// otherKinds says which kinds have a channel.
func otherKinds(name string) string {
	var have []string
	for _, k := range []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge} {
		if slices.ContainsFunc(kindChannels(k), func(c devices.Channel) bool { return c.Name == name }) {
			have = append(have, "a "+k.String())
		}
	}
	if len(have) == 0 {
		return ""
	}
	return "; " + strings.Join(have, " and ") + " has it"
}
