package store

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	papi "github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Point is one stored value.
type Point struct {
	T    int64 // Unix ms
	V    float64
	Text string // of a text channel, where V is 1
}

// PromQL reads from VictoriaMetrics or any store that answers PromQL. It is
// safe for concurrent use.
type PromQL struct {
	api   v1.API
	url   string
	http  http.Client
	fresh func(context.Context) // makes what was just written readable; nil = it shows in its own time
}

// NewPromQL returns a reader; authorization is a header value, "" for none.
func NewPromQL(url, authorization string) (*PromQL, error) {
	rt := authorized{authorization}
	c, err := papi.NewClient(papi.Config{Address: url, RoundTripper: rt})
	if err != nil {
		return nil, fmt.Errorf("read from %s: %w", url, err)
	}
	return &PromQL{api: v1.NewAPI(c), url: strings.TrimSuffix(url, "/"), http: http.Client{Transport: rt}}, nil
}

type authorized struct{ header string }

// RoundTrip adds the header.
func (a authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.header != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", a.header)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// young is how old a point has to be to be readable in any case.
const young = 30 * time.Second

// firstLook is how much of the past Range asks for first, ms.
const firstLook = 24 * 3600 * 1000

// Range is the stored points of a channel in [from, to], oldest first; when
// there are more than limit, the newest. It looks back from to, ever further, until it
// has enough: a year of a bridge's seconds is not read for its last hour.
func (p *PromQL) Range(ctx context.Context, id, channel string, from, to int64, limit int) ([]Point, error) {
	if p.fresh != nil && time.Since(time.UnixMilli(to)) < young {
		p.fresh(ctx)
	}
	var out []Point
	for look := int64(firstLook); to >= from && len(out) < limit; look *= 2 {
		begin := max(from, to-look+1)
		more, err := p.stretch(ctx, id, channel, begin, to)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", channel, id, err)
		}
		out, to = append(more, out...), begin-1
	}
	if len(out) > limit {
		out = out[len(out)-limit:]
	}
	return out, nil
}

// stretch is all points in [from, to], oldest first.
func (p *PromQL) stretch(ctx context.Context, id, channel string, from, to int64) ([]Point, error) {
	q := fmt.Sprintf(`{__name__=%s,id=%s}[%dms]`, quote(measurement+"_"+channel), quote(id), max(1, to-from+1))
	v, _, _, err := p.api.Query(ctx, q, time.UnixMilli(to))
	if err != nil {
		return nil, err
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, fmt.Errorf("the store answered with %s", v.Type())
	}
	var out []Point
	for _, s := range m {
		for _, x := range s.Values {
			out = append(out, Point{int64(x.Timestamp), float64(x.Value), string(s.Metric["value"])})
		}
	}
	if len(m) > 1 { // a text channel has a series for each text
		slices.SortStableFunc(out, func(a, b Point) int { return cmp.Compare(a.T, b.T) })
	}
	return out, nil
}

// Latest is the newest point of every channel of each facility within the last
// day.
func (p *PromQL) Latest(ctx context.Context, ids []string) (map[string]map[string]Point, error) {
	if p.fresh != nil {
		p.fresh(ctx)
	}
	sel := fmt.Sprintf(`{__name__=~"%s_.+",id=~%s}[1d]`, measurement, quote(anyOf(ids)))
	values, err := p.vector(ctx, "last_over_time("+sel+") keep_metric_names")
	if err != nil {
		return nil, fmt.Errorf("latest of %d facilities: %w", len(ids), err)
	}
	times, err := p.vector(ctx, "tlast_over_time("+sel+") keep_metric_names")
	if err != nil {
		return nil, fmt.Errorf("latest of %d facilities: %w", len(ids), err)
	}
	out := make(map[string]map[string]Point)
	for k, v := range values {
		if out[k.id] == nil {
			out[k.id] = make(map[string]Point)
		}
		t := int64(times[k] * 1000)
		if have, ok := out[k.id][k.channel]; !ok || t > have.T { // of several texts the newest
			out[k.id][k.channel] = Point{t, v, k.text}
		}
	}
	return out, nil
}

// series names one series of the store.
type series struct{ id, channel, text string }

func (p *PromQL) vector(ctx context.Context, q string) (map[series]float64, error) {
	v, _, _, err := p.api.Query(ctx, q, time.Now())
	if err != nil {
		return nil, err
	}
	vec, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the store answered with %s", v.Type())
	}
	out := make(map[series]float64, len(vec))
	for _, s := range vec {
		out[series{string(s.Metric["id"]), strings.TrimPrefix(string(s.Metric["__name__"]), measurement+"_"), string(s.Metric["value"])}] = float64(s.Value)
	}
	return out, nil
}

// quote is s as a PromQL string.
func quote(s string) string { return fmt.Sprintf("%q", s) }
