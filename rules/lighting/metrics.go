package lighting

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
)

// newRates is the city's newest figure of each rate.
func newRates(reg prometheus.Registerer) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "lamplighter_lighting_rate_ratio", Help: "The city's lighting rate of the newest closed night, from 0 to 1: the figure, its best and its worst case."}, []string{"rate", "case"})
	if reg != nil {
		reg.MustRegister(g)
	}
	return g
}

// show tells the city's newest figure.
func (b *Book) show(ctx context.Context, d *Definition) error {
	var day string
	if err := b.opt.DB.QueryRow(ctx, `SELECT COALESCE(MAX(day),'') FROM lighting_night WHERE rate=?`, d.Name).Scan(&day); err != nil || day == "" {
		return err
	}
	fs, err := b.Rates(ctx, Query{Rate: d.Name, Level: int(devices.City), Period: "day", From: day, To: day})
	if err != nil || len(fs) == 0 {
		return err
	}
	b.rate.DeletePartialMatch(prometheus.Labels{"rate": d.Name})
	if f := &fs[0]; f.Known {
		b.rate.WithLabelValues(d.Name, "figure").Set(f.Value)
		b.rate.WithLabelValues(d.Name, "best").Set(f.Best)
		b.rate.WithLabelValues(d.Name, "worst").Set(f.Worst)
	}
	return nil
}
