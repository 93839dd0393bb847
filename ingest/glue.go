package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lamplighter/dashboards"
	"lamplighter/devices"
	"lamplighter/ingest/store"
	"lamplighter/rules"
)

// judges is the state of all partitions as the board sees it.
type judges []*rules.Worker

// Inspect asks the partition that has the facility.
func (j judges) Inspect(id devices.FacilityID) (rules.Facts, bool) {
	for _, w := range j {
		if f, ok := w.Inspect(id); ok {
			return f, true
		}
	}
	return rules.Facts{}, false
}

// Expected asks the partition that has the facility.
func (j judges) Expected(q *rules.Expecting) ([]rules.Expectation, bool) {
	for _, w := range j {
		if x, ok := w.Expected(q); ok {
			return x, true
		}
	}
	return nil, false
}

// Count sums the partitions.
func (j judges) Count() (all [4]rules.Counts, newest int64) {
	for _, w := range j {
		newest = max(newest, w.Count(&all))
	}
	return all, newest
}

// Standings asks all partitions how facilities stand.
func (j judges) Standings(ids []devices.FacilityID) []rules.Standing {
	out := make([]rules.Standing, len(ids))
	for _, w := range j {
		w.Standings(ids, out)
	}
	return out
}

// Rules is the set of the first partition: all have the same, within a moment.
func (j judges) Rules() *rules.Set { return j[0].Rules() }

// Sunless asks all partitions which facilities rules by the sun do not judge.
func (j judges) Sunless(ids []devices.FacilityID) []bool {
	out := make([]bool, len(ids))
	for _, w := range j {
		w.SunlessOf(ids, out)
	}
	return out
}

// sunless is how many facilities rules by the sun do not judge.
func (j judges) sunless() float64 {
	n := 0
	for _, w := range j {
		n += w.Sunless()
	}
	return float64(n)
}

// stop saves the state of all partitions.
func (j judges) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var errs []error
	for _, w := range j {
		errs = append(errs, w.Stop(ctx))
	}
	return errors.Join(errs...)
}

// reader reads from a store: store.PromQL or store.Flux.
type reader interface {
	Range(ctx context.Context, id, channel string, from, to int64, limit int) ([]store.Point, error)
	Latest(ctx context.Context, ids []string) (map[string]map[string]store.Point, error)
}

// querier is the store as the board sees it.
type querier struct{ q reader }

// Range reads points.
func (q querier) Range(ctx context.Context, id, channel string, from, to int64, limit int) ([]dashboards.Point, error) {
	pts, err := q.q.Range(ctx, id, channel, from, to, limit)
	out := make([]dashboards.Point, len(pts))
	for i, p := range pts {
		out[i] = dashboards.Point(p)
	}
	return out, err
}

// Latest reads the newest point of every channel.
func (q querier) Latest(ctx context.Context, ids []string) (map[string]map[string]dashboards.Point, error) {
	m, err := q.q.Latest(ctx, ids)
	out := make(map[string]map[string]dashboards.Point, len(m))
	for id, chs := range m {
		out[id] = make(map[string]dashboards.Point, len(chs))
		for ch, p := range chs {
			out[id][ch] = dashboards.Point(p)
		}
	}
	return out, err
}

// health is every part of the daemon, for /-/healthy and the board.
func (a *app) health() []dashboards.Part {
	full, why := a.uplog.Health()
	parts := []dashboards.Part{{Name: "log", Title: devices.Title{ZH: "日志", EN: "log"}, OK: !full, Trouble: why}}
	now := time.Now().UnixMilli()
	for i, w := range a.writers {
		wall, trouble := w.Health()
		p := dashboards.Part{Name: fmt.Sprintf("store-%d", i), Title: devices.Title{ZH: "存储", EN: "store"}, OK: trouble == "", Trouble: trouble}
		if wall > 0 {
			p.AgeMS = max(0, now-wall)
		}
		parts = append(parts, p)
	}
	why = a.rules.health()
	parts = append(parts, dashboards.Part{Name: "rule files", Title: devices.Title{ZH: "规则文件", EN: "rule files"}, OK: why == "", Trouble: why})
	for _, f := range a.followers {
		if f.Name == "rules" {
			_, trouble := f.Health()
			parts = append(parts, dashboards.Part{Name: fmt.Sprintf("rules-%d", f.Partition), Title: devices.Title{ZH: "规则", EN: "rules"}, OK: trouble == "", Trouble: trouble, Sunless: a.judges[f.Partition].Sunless()})
		}
	}
	return append(parts, a.brokerHealth()...)
}
