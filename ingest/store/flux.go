package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
)

// Flux reads from InfluxDB 2, or from 1.8 with Flux switched on.
type Flux struct {
	client influxdb2.Client
	api    api.QueryAPI
	bucket string
}

// NewFlux returns a reader of the target; Close ends it.
func NewFlux(t Target) *Flux {
	c := newClient(t)
	return &Flux{c, c.QueryAPI(t.Org), t.Bucket}
}

// Close ends idle connections.
func (f *Flux) Close() { f.client.Close() }

// Range is the stored points of a channel in [from, to], oldest first; when
// there are more than limit, the newest.
func (f *Flux) Range(ctx context.Context, id, channel string, from, to int64, limit int) ([]Point, error) {
	q := f.from(from, to) + fmt.Sprintf(`
  |> filter(fn: (r) => r._measurement == %s and r.id == %s and r._field == %s)
  |> keep(columns: ["_time", "_value", "value"])
  |> group()
  |> sort(columns: ["_time"])
  |> tail(n: %d)`, literal(measurement), literal(id), literal(channel), max(1, limit))
	var out []Point
	err := f.each(ctx, q, func(_, _ string, p Point) error {
		out = append(out, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", channel, id, err)
	}
	return out, nil
}

// Latest is the newest point of every channel of each facility within the last
// day.
func (f *Flux) Latest(ctx context.Context, ids []string) (map[string]map[string]Point, error) {
	out := make(map[string]map[string]Point)
	if len(ids) == 0 {
		return out, nil
	}
	is := make([]string, len(ids))
	for i, id := range ids {
		is[i] = "r.id == " + literal(id)
	}
	now := time.Now()
	q := f.from(now.Add(-24*time.Hour).UnixMilli(), now.Add(48*time.Hour).UnixMilli()) + fmt.Sprintf(`
  |> filter(fn: (r) => r._measurement == %s and (%s))
  |> group(columns: ["id", "_field", "value"])
  |> sort(columns: ["_time"])
  |> last()`, literal(measurement), strings.Join(is, " or "))
	err := f.each(ctx, q, func(id, channel string, p Point) error {
		if out[id] == nil {
			out[id] = make(map[string]Point)
		}
		if have, ok := out[id][channel]; !ok || p.T > have.T { // of several texts the newest
			out[id][channel] = p
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("latest of %d facilities: %w", len(ids), err)
	}
	return out, nil
}

// Export calls fn with the stored points of facilities in [from, to), as that of
// [PromQL] does.
func (f *Flux) Export(ctx context.Context, ids []string, from, to int64, fn func(id, channel, text string, at []int64, values []float64) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // fn may want no more
	q := f.from(from, to-1) + fmt.Sprintf(`
  |> filter(fn: (r) => r._measurement == %s and r.id =~ /^(%s)$/)
  |> keep(columns: ["_time", "_value", "_field", "id", "value"])
  |> group(columns: ["id", "_field", "value"])
  |> sort(columns: ["_time"])`, literal(measurement), anyOf(ids))
	var at []int64
	var values []float64
	var s series
	told := func() error {
		if len(at) == 0 {
			return nil
		}
		err := fn(s.id, s.channel, s.text, at, values)
		at, values = at[:0], values[:0]
		return err
	}
	err := f.each(ctx, q, func(id, channel string, p Point) error {
		if p.T >= to { // InfluxDB 1.8 gives what lies on the end of a range too
			return nil
		}
		if next := (series{id, channel, p.Text}); next != s || len(at) == rowsPerLine {
			if err := told(); err != nil {
				return err
			}
			s = next
		}
		at, values = append(at, p.T), append(values, p.V)
		return nil
	})
	if err != nil {
		return fmt.Errorf("export from the store: %w", err)
	}
	return told()
}

// from is the beginning of a query of [from, to].
func (f *Flux) from(from, to int64) string {
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
	return fmt.Sprintf(`from(bucket: %s) |> range(start: %s, stop: %s)`, literal(f.bucket), at(from), at(to+1))
}

func (f *Flux) each(ctx context.Context, q string, fn func(id, channel string, p Point) error) error {
	res, err := f.api.Query(ctx, q)
	if err != nil {
		return err
	}
	defer res.Close()
	for res.Next() {
		r := res.Record()
		v, ok := r.Value().(float64)
		if !ok {
			return fmt.Errorf("the store answered with a %T", r.Value())
		}
		id, _ := r.ValueByKey("id").(string)
		channel, _ := r.ValueByKey("_field").(string)
		text, _ := r.ValueByKey("value").(string)
		if err := fn(id, channel, Point{r.Time().UnixMilli(), v, text}); err != nil {
			return err
		}
	}
	return res.Err()
}

// literal is s as a Flux string: nothing in it ends the string or is
// interpolated.
func literal(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '$' && i+1 < len(s) && s[i+1] == '{':
			b.WriteString(`\$`)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
