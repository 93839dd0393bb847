package lighting

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
	"lamplighter/rules"
	"lamplighter/rules/strict"
)

// named is a word of faults or except, where it stands.
type named struct {
	defect string
	key    string // faults or except
	at     strict.Mistake
}

// note keeps a word for Check.
func (r *reader) note(n *yaml.Node, key string) {
	r.set.named = append(r.set.named, named{n.Value, key, strict.Mistake{File: r.file, Line: n.Line, Column: n.Column, About: r.About}})
}

// usual are the words for what people find that the board offers.
func usual() []string {
	return []string{"lamp_out", "leaning", "dirty_glass", "broken_glass", "pole_damaged", "door_open", "wire_exposed"}
}

// Check says which instants lie in no night, and which words of faults and except mean nothing beside the rules that
// judge: they name no rule for streetlights, no rule that the built-in definitions
// know of, and nothing that people find. By such a word lamps would count as what
// they are not. An error is strict.Mistakes.
func (s *Set) Check(judges *rules.Set) error {
	builtIn, err := Load("")
	if err != nil {
		return err
	}
	known := append(usual(), s.Found...)
	for _, r := range judges.Rules(devices.Streetlight) {
		known = append(known, r.Name)
	}
	for _, w := range builtIn.named {
		known = append(known, w.defect)
	}
	wrong := slices.Clone(s.never)
	for _, w := range s.named {
		if !slices.Contains(known, w.defect) {
			m := w.at
			m.Msg = fmt.Sprintf("%s: %s is no rule for streetlights that is loaded, and nothing that people find%s; load its file (rules.files), or put a word of your own for what people find under found", w.key, w.defect, strict.Meant(w.defect, known))
			wrong = append(wrong, &m)
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}
