package fleet

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func city(truth *bytes.Buffer) *City {
	return New(Options{Seed: 7, Manholes: 20, Streetlights: 60, Bridges: 1, Lon: 119.3, Lat: 26.08, Start: time.Unix(1767225600, 0), Truth: truth})
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	var told [2]bytes.Buffer
	var sent [2][]string
	for i := range 2 {
		c := city(&told[i])
		for s := range 60 {
			for _, p := range c.Step(time.Unix(1767225600+int64(s), 0)) {
				sent[i] = append(sent[i], p.Topic+" "+string(p.Payload))
			}
		}
	}
	if strings.Join(sent[0], "\n") != strings.Join(sent[1], "\n") || len(sent[0]) < 500 {
		t.Errorf("two runs sent %d and %d messages, and not the same", len(sent[0]), len(sent[1]))
	}
	for _, defect := range []string{"cover_displaced", "lamp_out", "circuit_silent", "bridge_limit"} {
		if !strings.Contains(told[0].String(), defect) {
			t.Errorf("%s did not happen within the first minute:\n%s", defect, told[0].String())
		}
	}
}

func TestNightInFuzhou(t *testing.T) {
	at := func(hhmm string) time.Time {
		x, err := time.Parse("2006-01-02 15:04 -0700", "2026-11-23 "+hhmm+" +0800")
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	// almanac for Fuzhou, 23 November: sunrise 06:30, sunset 17:15
	for hhmm, want := range map[string]bool{"06:10": true, "06:40": false, "12:00": false, "17:05": false, "17:35": true, "00:00": true} {
		if got := Night(at(hhmm), 119.3, 26.08); got != want {
			t.Errorf("night at %s: %v", hhmm, got)
		}
	}
}
