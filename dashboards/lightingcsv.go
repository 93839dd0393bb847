package dashboards

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"lamplighter/devices/registry"
	"lamplighter/rules/lighting"
)

// download answers with a CSV file that a spreadsheet reads as UTF-8; a text that
// it would take for a formula has an apostrophe in front. What goes wrong after the
// first line can only be told by breaking off.
func (s *Server) download(name string, fill func(ctx context.Context, put func(...string) error) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "text/csv; charset=utf-8")
		c.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		out := c.BodyWriter()
		_, err := out.Write([]byte("\ufeff"))
		w := csv.NewWriter(out)
		if err == nil {
			err = fill(c.Context(), func(rec ...string) error {
				for i := range rec {
					rec[i] = registry.Spreadsheet(rec[i])
				}
				return w.Write(rec)
			})
		}
		w.Flush()
		if err == nil {
			err = w.Error()
		}
		if err != nil && c.Context().Err() == nil {
			s.opt.Log.Error().Err(err).Str("file", name).Msg("a download broke off")
			panic(http.ErrAbortHandler) // the caller must not take half a file for all of it
		}
	}}
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

// share is a rate in percent, "" of none.
func share(x *float64) string {
	if x == nil {
		return ""
	}
	return lighting.Percent(*x, 4)
}

func (s *Server) ratesCSV(ctx context.Context, in *RatesInput) (*huma.StreamResponse, error) {
	if err := s.knows(ctx, in.Rate, in.From, in.To); err != nil {
		return nil, err
	}
	fs, err := s.opt.Lighting.Rates(ctx, in.query())
	if err != nil {
		return nil, err
	}
	return s.download("lighting-rates.csv", func(_ context.Context, put func(...string) error) error {
		err := put("rate", "version", "level", "place", "name", "period", "from", "to", "nights", "unit", "intact", "faulty", "unknown", "excluded", "numerator", "denominator", "value_pct", "best_pct", "worst_pct", "target_pct", "low", "lamps")
		for i := 0; i < len(fs) && err == nil; i++ {
			x := newRateItem(&fs[i])
			err = put(x.Rate, x.Version, x.Level, x.Place, x.Name, x.Period, x.From, x.To, strconv.Itoa(x.Nights), x.Unit, whole(x.Intact), whole(x.Faulty), whole(x.Unknown), whole(x.Excluded), whole(x.Num), whole(x.Den),
				share(x.Value), share(x.Best), share(x.Worst), lighting.Goal(x.Target), strconv.FormatBool(x.Low), x.Lamps)
		}
		return err
	}), nil
}

// downloadPage is how many lamp-nights are read at a time.
const downloadPage = 2000

func (s *Server) rateLampsCSV(ctx context.Context, in *LampsInput) (*huma.StreamResponse, error) {
	q, err := in.query()
	if err == nil {
		err = s.knows(ctx, in.Rate, in.From, in.To)
	}
	if err != nil {
		return nil, err
	}
	q.Limit = downloadPage
	return s.download("lighting-lamps.csv", func(ctx context.Context, put func(...string) error) error {
		if err := put("day", "facility", "name", "area", "cabinet", "road", "lamps", "bucket", "intact", "faulty", "unknown", "excluded", "from", "to", "part", "reason", "ticket", "finding"); err != nil {
			return err
		}
		for {
			ls, err := s.opt.Lighting.Lamps(ctx, q)
			if err != nil {
				return err
			}
			for i := range ls {
				if err := s.putLamp(&ls[i], put); err != nil {
					return err
				}
			}
			if len(ls) < q.Limit {
				return nil
			}
			last := &ls[len(ls)-1]
			q.AfterDay, q.AfterID = last.Day, last.Facility
		}
	}), nil
}

// putLamp is a line for each part of the night that was not intact; the four
// buckets stand in the first one only, so that a column can be summed up.
func (s *Server) putLamp(l *lighting.LampNight, put func(...string) error) error {
	x := s.lampNightItem(l)
	counts := []string{whole(x.Intact), whole(x.Faulty), whole(x.Unknown), whole(x.Excluded)}
	if len(x.Parts) == 0 {
		x.Parts = []partItem{{}}
	}
	for i := range x.Parts {
		p := &x.Parts[i]
		if i > 0 {
			counts = []string{"", "", "", ""}
		}
		from, to, finding := "", "", ""
		if p.From != nil {
			from, to = *p.From, *p.To
		}
		if p.Finding != nil {
			finding = whole(*p.Finding)
		}
		if err := put(x.Day, x.Facility, x.Name, x.Area, x.Cabinet, x.Road, whole(x.Lamps), x.Bucket, counts[0], counts[1], counts[2], counts[3], from, to, p.Bucket, p.Reason, p.Number, finding); err != nil {
			return err
		}
	}
	return nil
}
