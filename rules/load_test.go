package rules

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// manyRules is n rules over the three kinds, in numbers that the channels can come to.
func manyRules(n int) []byte {
	var b strings.Builder
	b.WriteString("groups:\n")
	for k, x := range []struct{ kind, when, channel string }{
		{"manhole", "tilt_deg > limit_tilt_deg + %d.0 || water_level_m > %d.0 && !cover_open", "tilt_deg"},
		{"streetlight", "lamp_on && power_w < limit_power_w - %d.0 || voltage_v > 240.0 + %d.0", "power_w"},
		{"bridge", "displacement_mm > limit_displacement_mm + %d.0 || strain_ue > 100.0 * %d.0", "displacement_mm"},
	} {
		fmt.Fprintf(&b, "  - kind: %s\n    rules:\n", x.kind)
		for i := k; i < n; i += 3 {
			fmt.Fprintf(&b, "      - {name: rule_%d, when: '%s', limits: {%s: 15}, for: %ds, severity: minor, summary: {zh: 规则, en: Rule}}\n", i, fmt.Sprintf(x.when, i%40, i%40), x.channel, i%60+1)
		}
	}
	return []byte(b.String())
}

// BenchmarkLoad is what a start has to do with 500 rules and a million
// facilities: compile the rules, take the census over from the log, or all of it
// from a snapshot.
func BenchmarkLoad(b *testing.B) {
	const n, part = 1_000_000, 500
	s := tell(&testing.T{})
	var records []devices.Item
	for i := 0; i < n; i += part {
		var fs []registry.Facility
		for j := i; j < i+part; j++ {
			kind := []devices.Kind{devices.Manhole, devices.Streetlight, devices.Bridge}[j%3]
			fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("F-%07d", j)), Kind: kind, Cabinet: fmt.Sprint("CAB-", j/300), Circuit: fmt.Sprint("C", j%3), ExpectS: 600, Area: "350102001", HasPlace: true, Lon: 119.3, Lat: 26.08})
		}
		records = append(records, s.census(fs...))
	}
	for b.Loop() {
		began := time.Now()
		set, err := Parse(manyRules(500), s.dict)
		if err != nil {
			b.Fatal(err)
		}
		compiled := time.Now()
		e := NewEngine(set, s.dict, nil)
		for i, r := range records {
			if _, err := e.Step(&devices.Batch{Seq: uint64(i + 1), Wall: start + int64(i), Items: []devices.Item{r}}); err != nil {
				b.Fatal(err)
			}
		}
		fed := time.Now()
		var file bytes.Buffer
		if err := e.freeze(uint64(len(records))).write(&file); err != nil {
			b.Fatal(err)
		}
		written := time.Now()
		again := NewEngine(set, s.dict, nil)
		if _, err := again.restore(bytes.NewReader(file.Bytes()), int64(file.Len())); err != nil {
			b.Fatal(err)
		}
		if len(again.facilities) != n {
			b.Fatalf("%d facilities", len(again.facilities))
		}
		b.ReportMetric(compiled.Sub(began).Seconds(), "s/compile")
		b.ReportMetric(fed.Sub(compiled).Seconds(), "s/census")
		b.ReportMetric(time.Since(written).Seconds(), "s/snapshot")
	}
}
