package rules

import (
	"fmt"
	"runtime"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// BenchmarkFacilities is a million facilities in the rules: lamps on circuits of
// cabinets, with three channels each, after their first message. It tells the
// bytes for each of them, and what a message costs then.
func BenchmarkFacilities(b *testing.B) {
	const n, part = 1_000_000, 1000
	s := tell(&testing.T{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	batch := &devices.Batch{Wall: start}
	for i := 0; i < n; i += part {
		var fs []registry.Facility
		batch.Items = batch.Items[:0]
		for j := i; j < i+part; j++ {
			id := fmt.Sprintf("SL-%07d", j)
			fs = append(fs, registry.Facility{ID: devices.FacilityID(id), Kind: devices.Streetlight, Cabinet: fmt.Sprint("CAB-", j/300), Circuit: fmt.Sprint("C", j%3), ExpectS: 600, Area: "350102001", HasPlace: true, Lon: 119.3, Lat: 26.08})
			batch.Items = append(batch.Items, s.says(id, 0, "lamp_on", true, "power_w", 60.0, "voltage_v", 221.0))
		}
		batch.Items = append([]devices.Item{s.census(fs...)}, batch.Items...)
		batch.Seq, batch.Wall = batch.Seq+1, batch.Wall+10
		if _, err := s.e.Step(batch); err != nil {
			b.Fatal(err)
		}
	}
	last := batch.Items[1:]
	runtime.GC()
	runtime.ReadMemStats(&after)
	batch.Items = last
	for b.Loop() {
		batch.Wall += 1000
		for j := range batch.Items {
			m := batch.Items[j].Message
			m.Seq++
			m.Readings[0].Time += 1000
		}
		if _, err := s.e.Step(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/facility")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/part, "ns/message")
	runtime.KeepAlive(s)
}
