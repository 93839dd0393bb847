package strict

import (
	"errors"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"lamplighter/devices"
)

// pump reads a small file of every shape.
func pump(text string) (name string, wait time.Duration, levels map[string]float64, err error) {
	r := New("pump.yml", []byte(text))
	levels = map[string]float64{}
	r.Documents(func(n *yaml.Node) {
		r.Mapping(n, "pump", Fields{
			"name": func(n *yaml.Node) {
				r.Text("name", &name)(n)
				r.About = "pump " + name
			},
			"wait": r.Duration("wait", &wait),
			"modes": func(n *yaml.Node) {
				r.List(n, "modes", r.Choice("modes", []string{"slow", "fast"}, func(string) {}))
			},
			"levels": func(n *yaml.Node) {
				r.Entries(n, "levels", func(k, v *yaml.Node) {
					var x float64
					r.Number("levels."+k.Value, 0, 10, &x)(v)
					levels[k.Value] = x
				})
			},
		})
	})
	if len(r.Wrong) > 0 {
		return name, wait, levels, r.Wrong
	}
	return name, wait, levels, nil
}

func TestAGoodFileIsTakenOverWithItsAliases(t *testing.T) {
	name, wait, levels, err := pump("name: p1\nwait: 5m\nmodes: [slow, fast]\nlevels: {low: &l 1.5, high: *l}\n")
	if err != nil || name != "p1" || wait != 5*time.Minute || levels["low"] != 1.5 || levels["high"] != 1.5 {
		t.Errorf("%q %s %v, %v", name, wait, levels, err)
	}
}

func TestEveryMistakeOfAFileIsGathered(t *testing.T) {
	for text, want := range map[string]string{
		"- p1":                            "pump.yml:1:1: pump: found a list; want keys and values",
		"name:":                           "pump.yml:1:6: name: found nothing; want text",
		"name: p1\nmode: [slow]":          "pump.yml:2:1: pump p1: pump: unknown key mode; did you mean modes?",
		"name: a\nname: b":                "pump.yml:2:1: pump a: pump: name comes twice, first in line 1",
		"levels: {low: 1, low: 2}":        "pump.yml:1:18: levels: low comes twice, first in line 1",
		"levels: {low: 11}\nwait: 5":      "pump.yml:1:15: levels.low: found \"11\"; want a number from 0 to 10\npump.yml:2:7: wait: found 5, which has no unit; write 5s for seconds",
		"wait: 1d":                        "pump.yml:1:7: wait: found \"1d\"; want a duration such as 30s, 5m or 12h; write 24h",
		"wait: 3 days":                    "pump.yml:1:7: wait: found \"3 days\"; want a duration such as 30s, 5m or 12h; write 72h",
		"modes: slow":                     "pump.yml:1:8: modes: found \"slow\"; want a list: lines that begin with a dash",
		"modes: [{}]":                     "pump.yml:1:9: modes: found keys and values; want slow or fast",
		"name: p1\n---\nwait: soon\n":     "pump.yml:3:7: pump p1: wait: found \"soon\"; want a duration such as 30s, 5m or 12h",
		"name: p1\nmodes: [slow\nx: {]\n": "pump.yml:1: this is no YAML: did not find expected ',' or ']'",
	} {
		_, _, _, err := pump(text)
		if !errors.Is(err, devices.ErrInvalid) || err.Error() != want {
			t.Errorf("%q: got\n%v\nwant\n%s", text, err, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"tilt", "tilt", 0}, {"tilt", "tlit", 1}, {"tilt_degg", "tilt_deg", 1}, {"", "abc", 3}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
