package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/rules/lighting"
)

// lightingRoutes registers what is about the lighting rates.
func (s *Server) lightingRoutes(a huma.API) {
	csv := func(op *huma.Operation) {
		op.Responses["200"] = &huma.Response{Description: "CSV in UTF-8 with a byte order mark", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}
	}
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/rates", "Lighting rates by place and period, each with its best and worst case", s.rates)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/rates.csv", "The same as a file for a spreadsheet", s.ratesCSV, csv)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/rates/lamps", "The lamps behind a figure, night by night", s.rateLamps)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/rates/lamps.csv", "The same as a file for a spreadsheet", s.rateLampsCSV, csv)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/nights", "The nights that were closed: dusk, dawn, and how often they were summed up", s.nights)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/definitions", "What the rates are: every version that was used, the newest first", s.definitions)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/lighting/findings", "What people have found wrong with lamps, the newest first", s.findings)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/lighting/findings", "Write down what was found wrong with a lamp", s.addFinding)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/lighting/findings/{id}/end", "Say that what was found is mended", s.endFinding)
}

// RateScope is which figures are meant.
type RateScope struct {
	Rate    string `query:"rate" default:"intact" maxLength:"32" doc:"a definition's name: intact or lit, unless the city has others"`
	Version string `query:"version" maxLength:"64" doc:"of the definition; all if not given: sums of two are never mixed"`
	Level   string `query:"level" default:"city" enum:"city,district,street,community,cabinet,road"`
	Area    string `query:"area" maxLength:"12" pattern:"^[0-9]*$" doc:"only what lies wholly in this area"`
	Place   string `query:"place" maxLength:"300" doc:"only this one: an area code, a cabinet, or district/road; of the lamps that have none -"`
	From    string `query:"from" format:"date" doc:"the first night, by the day of its dusk"`
	To      string `query:"to" format:"date" doc:"the last night"`
}

// place is the place that is asked for, nil for all.
func (r *RateScope) place() *string {
	p := r.Place
	switch p {
	case "":
		return nil
	case "-":
		p = ""
	}
	return &p
}

// knows refuses what is asked of a rate that there is not, or of nights in the wrong
// order: an empty list would say that there is nothing to tell.
func (s *Server) knows(ctx context.Context, rate, from, to string) error {
	if from != "" && to != "" && from > to {
		return invalid("query.from", "the nights from %q to %q: want the first one first", from, to)
	}
	err := s.opt.Lighting.Defined(ctx, rate)
	if errors.Is(err, devices.ErrNotFound) {
		p := problemOf(http.StatusNotFound, "not_found", fmt.Sprintf("there is no lighting rate %q", rate))
		p.Field, p.Cure = "query.rate", "GET /api/v1/lighting/definitions tells which there are"
		return p
	}
	return err
}

// rateItem is one figure.
type rateItem struct {
	Rate     string   `json:"rate"`
	Version  string   `json:"version" doc:"of the definition"`
	Level    string   `json:"level"`
	Place    string   `json:"place" doc:"area code, cabinet, or district/road; of the city, and of lamps that have none, empty"`
	Name     string   `json:"name" doc:"of an area that the census knows"`
	Period   string   `json:"period" example:"2026-Q1"`
	From     string   `json:"from" doc:"the first night that is in it"`
	To       string   `json:"to" doc:"the last night that is in it"`
	Nights   int      `json:"nights" doc:"how many are in it"`
	Unit     string   `json:"unit" enum:"lamp_nights,lamp_ms" doc:"what the four buckets count"`
	Intact   int64    `json:"intact"`
	Faulty   int64    `json:"faulty"`
	Unknown  int64    `json:"unknown"`
	Excluded int64    `json:"excluded" doc:"maintenance, out of service, not yet installed"`
	Num      int64    `json:"numerator" doc:"what the definition counts as intact"`
	Den      int64    `json:"denominator" doc:"what the definition judges"`
	Value    *float64 `json:"value" doc:"numerator by denominator, 0 to 1; null when there is nothing to judge"`
	Best     *float64 `json:"best" doc:"all that is unknown counted as intact"`
	Worst    *float64 `json:"worst" doc:"all that is unknown counted as faulty"`
	Target   float64  `json:"target" doc:"of the classes of road, as they have part in it"`
	Low      bool     `json:"low" doc:"below the target"`
	Lamps    string   `json:"lamps" doc:"where the lamps behind it are listed"`
}

func newRateItem(f *lighting.Figure) rateItem {
	x := rateItem{Rate: f.Rate, Version: f.Version, Level: lighting.LevelName(f.Level), Place: f.Place, Name: f.Name, Period: f.Period, From: f.From, To: f.To, Nights: f.Nights, Unit: f.Unit,
		Intact: f.Intact, Faulty: f.Faulty, Unknown: f.Unknown, Excluded: f.Excluded, Num: f.Num, Den: f.Den, Target: f.Target, Low: f.Low(), Lamps: f.ListLink("")}
	if f.Known {
		x.Value = &f.Value
	}
	if f.Intact+f.Faulty+f.Unknown > 0 {
		x.Best, x.Worst = &f.Best, &f.Worst
	}
	return x
}

func rateSorts() sorts[lighting.Figure] {
	return sorts[lighting.Figure]{{"place", "", false, func(f *lighting.Figure) any { return f.Cursor() }}}
}

// RatesInput asks for figures.
type RatesInput struct {
	RateScope
	Period string `query:"period" default:"month" enum:"day,month,quarter"`
}

func (in *RatesInput) query() lighting.Query {
	return lighting.Query{Rate: in.Rate, Version: in.Version, Level: lighting.ParseLevel(in.Level), Area: devices.AreaCode(in.Area), Place: in.place(), Period: in.Period, From: in.From, To: in.To}
}

func (s *Server) rates(ctx context.Context, in *struct {
	Paging
	RatesInput
}) (*listed[rateItem], error) {
	t, err := rateSorts().begin(in.Paging, keyOf[lighting.Figure]{"", func(f *lighting.Figure) any { return f.Cursor() }})
	if err != nil {
		return nil, err
	}
	if t.order.Desc {
		return nil, invalid("query.order", "this list goes by place and period: want asc")
	}
	if err := s.knows(ctx, in.Rate, in.From, in.To); err != nil {
		return nil, err
	}
	q := in.query()
	q.Limit = t.limit
	if a := t.order.After; a != nil {
		q.After, _ = a.Key.(string)
	}
	fs, err := s.opt.Lighting.Rates(ctx, q)
	if err != nil {
		return nil, err
	}
	items := make([]rateItem, 0, len(fs))
	for i := range fs {
		items = append(items, newRateItem(&fs[i]))
	}
	return answer(ctx, items, t.next(fs), nil), nil
}

// lampNightItem is a lamp in a night.
type lampNightItem struct {
	Day      string     `json:"day"`
	Facility string     `json:"facility"`
	Name     string     `json:"name"`
	Area     string     `json:"area"`
	Cabinet  string     `json:"cabinet"`
	Road     string     `json:"road"`
	Lamps    int64      `json:"lamps" doc:"that it stands for: 1 of a lamp, more of a circuit that is only metered in its cabinet"`
	Bucket   string     `json:"bucket" enum:"intact,faulty,unknown,excluded" doc:"of a rate that measures time the worst one that it has part in"`
	Intact   int64      `json:"intact"`
	Faulty   int64      `json:"faulty"`
	Unknown  int64      `json:"unknown"`
	Excluded int64      `json:"excluded"`
	Parts    []partItem `json:"parts" doc:"when in the night it was not intact, and why"`
}

type partItem struct {
	From    *string `json:"from"`
	To      *string `json:"to"`
	Bucket  string  `json:"bucket" enum:"faulty,unknown,excluded"`
	Reason  string  `json:"reason" doc:"the rules or the finding's defect; of unknown silent, unheard, gone or away; of excluded maintenance, timetable, installed or census"`
	Ticket  *int64  `json:"ticket"`
	Number  string  `json:"ticket_number"`
	Finding *int64  `json:"finding"`
}

func (s *Server) lampNightItem(x *lighting.LampNight) lampNightItem {
	y := lampNightItem{x.Day, string(x.Facility), x.Name, string(x.Area), x.Cabinet, x.Road, x.Lamps, x.Bucket.String(), x.Intact, x.Faulty, x.Unknown, x.Excluded, []partItem{}}
	for i := range x.Parts {
		p := &x.Parts[i]
		z := partItem{From: s.instant(p.From), To: s.instant(p.To), Bucket: p.State.String(), Reason: p.Reason, Number: p.TicketNumber}
		if p.Ticket != 0 {
			z.Ticket = &p.Ticket
		}
		if p.Finding != 0 {
			z.Finding = &p.Finding
		}
		y.Parts = append(y.Parts, z)
	}
	return y
}

const lampMark = "\x1f"

func lampKey(x *lighting.LampNight) any { return x.Day + lampMark + string(x.Facility) }

func lampSorts() sorts[lighting.LampNight] {
	return sorts[lighting.LampNight]{{"day", "", false, lampKey}}
}

// LampsInput asks for the lamps behind figures.
type LampsInput struct {
	RateScope
	Bucket []string `query:"bucket" maxItems:"4" enum:"intact,faulty,unknown,excluded" doc:"only these, with commas between; all if not given"`
}

// query is what is asked; of a list the nights must be said.
func (in *LampsInput) query() (lighting.LampQuery, error) {
	q := lighting.LampQuery{Rate: in.Rate, Version: in.Version, Level: lighting.ParseLevel(in.Level), Area: devices.AreaCode(in.Area), Place: in.place(), From: in.From, To: in.To}
	if in.From == "" || in.To == "" || in.From > in.To {
		return q, invalid("query.from", "the nights from %q to %q: want both, the first one first", in.From, in.To)
	}
	for _, b := range in.Bucket {
		for _, st := range []lighting.State{lighting.Intact, lighting.Faulty, lighting.Unknown, lighting.Excluded} {
			if st.String() == b {
				q.Buckets = append(q.Buckets, st)
			}
		}
	}
	return q, nil
}

func (s *Server) rateLamps(ctx context.Context, in *struct {
	Paging
	LampsInput
}) (*listed[lampNightItem], error) {
	t, err := lampSorts().begin(in.Paging, keyOf[lighting.LampNight]{"", lampKey})
	if err != nil {
		return nil, err
	}
	if t.order.Desc {
		return nil, invalid("query.order", "this list goes by day and lamp: want asc")
	}
	q, err := in.query()
	if err == nil {
		err = s.knows(ctx, in.Rate, in.From, in.To)
	}
	if err != nil {
		return nil, err
	}
	q.Limit = t.limit
	if a := t.order.After; a != nil {
		key, _ := a.Key.(string)
		day, id, _ := strings.Cut(key, lampMark)
		q.AfterDay, q.AfterID = day, devices.FacilityID(id)
	}
	ls, err := s.opt.Lighting.Lamps(ctx, q)
	if err != nil {
		return nil, err
	}
	items := make([]lampNightItem, 0, len(ls))
	for i := range ls {
		items = append(items, s.lampNightItem(&ls[i]))
	}
	return answer(ctx, items, t.next(ls), nil), nil
}

// nightItem is a night that was closed.
type nightItem struct {
	Day      string  `json:"day"`
	Version  string  `json:"version"`
	Dusk     *string `json:"dusk"`
	Dawn     *string `json:"dawn"`
	ClosedAt *string `json:"closed_at"`
	Revision int64   `json:"revision" doc:"how often it was summed up: more than once when something was said of it later"`
	Stale    bool    `json:"stale" doc:"it will be summed up once more"`
}

type nightsBody struct {
	Items []nightItem `json:"items"`
}

func (s *Server) nights(ctx context.Context, in *struct {
	Rate string `query:"rate" default:"intact" maxLength:"32"`
	From string `query:"from" format:"date" doc:"92 days ago if not given"`
	To   string `query:"to" format:"date" doc:"today if not given"`
}) (*struct{ Body nightsBody }, error) {
	today := s.opt.Now().In(s.opt.Zone)
	if in.To == "" {
		in.To = today.Format(time.DateOnly)
	}
	if in.From == "" {
		in.From = today.AddDate(0, 0, -92).Format(time.DateOnly)
	}
	if err := s.knows(ctx, in.Rate, in.From, in.To); err != nil {
		return nil, err
	}
	ns, err := s.opt.Lighting.Nights(ctx, in.Rate, in.From, in.To)
	if err != nil {
		return nil, err
	}
	b := nightsBody{make([]nightItem, 0, len(ns))}
	for i := range ns {
		n := &ns[i]
		b.Items = append(b.Items, nightItem{n.Day, n.Version, s.instant(n.Dusk), s.instant(n.Dawn), s.instant(n.ClosedAt), n.Revision, n.Stale > 0})
	}
	return &struct{ Body nightsBody }{b}, nil
}

// definitionItem is a version of a definition.
type definitionItem struct {
	Rate    string        `json:"rate"`
	Version string        `json:"version"`
	Title   devices.Title `json:"title"`
	Text    string        `json:"text" doc:"as it stands in the file, YAML"`
	Since   *string       `json:"since" doc:"when it was first used"`
}

type definitionsBody struct {
	Items []definitionItem `json:"items"`
}

func (s *Server) definitions(ctx context.Context, _ *struct{}) (*struct{ Body definitionsBody }, error) {
	ds, err := s.opt.Lighting.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	b := definitionsBody{make([]definitionItem, 0, len(ds))}
	for _, d := range ds {
		b.Items = append(b.Items, definitionItem{d.Rate, d.Version, d.Title, d.Text, s.instant(d.At)})
	}
	return &struct{ Body definitionsBody }{b}, nil
}
