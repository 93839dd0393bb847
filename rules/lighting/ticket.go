package lighting

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
	"lamplighter/rules/tickets"
)

// settle lets tickets follow from the newest closed night of a rate, once for each
// time that it was summed up: what was missed in between, and what is said of older
// nights, is history and pages nobody.
func (b *Book) settle(ctx context.Context, d *Definition) error {
	if b.opt.Tickets == nil {
		return nil
	}
	var day string
	var dusk, dawn, revision, judged int64
	err := b.opt.DB.QueryRow(ctx, `SELECT day, dusk, dawn, revision, judged FROM lighting_night WHERE rate=? AND version=? ORDER BY day DESC LIMIT 1`, d.Name, d.Version).Scan(&day, &dusk, &dawn, &revision, &judged)
	if errors.Is(err, sql.ErrNoRows) || err == nil && judged == revision {
		return nil
	}
	if err != nil {
		return err
	}
	anew := judged > 0
	var low, over []tickets.Area
	held := map[string]bool{} // areas that have lamps
	for _, level := range d.TicketLevels {
		fs, err := b.Rates(ctx, Query{Rate: d.Name, Version: d.Version, Level: int(level), Period: "day", From: day, To: day})
		if err != nil {
			return err
		}
		for i := range fs {
			f := &fs[i]
			held[f.facility()] = true
			switch {
			case !f.Known || level != devices.City && f.Place == "":
			case !f.Low():
				a := b.area(d, f, dawn, anew)
				a.Note = ""
				if anew {
					a.Note = f.reached()
				}
				over = append(over, a)
			case f.lamps(dawn-dusk) >= d.AtLeast:
				low = append(low, b.area(d, f, dawn, anew))
			}
		}
	}
	gone, err := b.gone(ctx, d, day, held)
	if err != nil {
		return err
	}
	return b.opt.Tickets.Settle(ctx, low, append(over, gone...), func(ctx context.Context, tx *database.Tx) error {
		ok, err := one(tx.Exec(ctx, `UPDATE lighting_night SET judged=revision WHERE rate=? AND day=? AND revision=? AND judged=?`, d.Name, day, revision, judged))
		if err == nil && !ok {
			err = errMoved // somebody else has done it, or has summed it up once more
		}
		return err
	})
}

// gone is the ends of the tickets on areas of which the newest night of a rate has no
// figure to be held against a target: no lamp lies there now, or the definition asks
// for no ticket there.
func (b *Book) gone(ctx context.Context, d *Definition, day string, held map[string]bool) ([]tickets.Area, error) {
	open, err := database.All(ctx, b.opt.DB, func(row database.Row) (facility string, err error) {
		err = row.Scan(&facility)
		return facility, err
	}, `SELECT facility FROM ticket WHERE defect=? AND state<>'closed' AND facility LIKE 'area:%' ORDER BY id`, Defect(d.Name))
	var out []tickets.Area
	for _, facility := range open {
		if !held[facility] {
			out = append(out, tickets.Area{Facility: facility, Defect: Defect(d.Name), Withdrawn: true,
				Note: fmt.Sprintf("%s 该区域已无灯具，或定义版本 %s 不再对其立案，未经核查；no lamp lay there on %s, or definition %s asks for no ticket there any more: not verified", day, d.Version, day, d.Version)})
		}
	}
	return out, err
}

// facility is what a ticket on the area of a figure is opened on.
func (f *Figure) facility() string {
	return string(devices.AreaFacility(devices.AreaLevel(f.Level), devices.AreaCode(f.Place)))
}

// lamps is how many lamps have part in a figure of one night, which lasts so long,
// ms; time is counted as lamps that were on all night.
func (f *Figure) lamps(night int64) int64 {
	n := f.Intact + f.Faulty + f.Unknown
	if f.Unit == "lamp_ms" {
		n /= night
	}
	return n
}

// Defect is the kind of defect of a ticket about a rate.
func Defect(rate string) string {
	if rate == "intact" {
		return "lighting_rate_low"
	}
	return "lighting_rate_low_" + rate
}

// told is the figure and its target as sentences tell them.
func (f *Figure) told() (value, target string) {
	return Percent(f.Value, 2) + " %", Goal(f.Target) + " %"
}

// reached is the note of a ticket that is closed by a night that was summed up anew.
func (f *Figure) reached() string {
	is, want := f.told()
	return fmt.Sprintf("%s 重算后为 %s，不低于 %s；%s was summed anew: %s, not below %s", f.Period, is, want, f.Period, is, want)
}

// area is the ticket on an area; anew, if the night was held against its target before.
func (b *Book) area(d *Definition, f *Figure, dawn int64, anew bool) tickets.Area {
	name := f.Name
	if name == "" {
		name = f.Place
	}
	where := devices.Title{ZH: name, EN: name}
	if devices.AreaLevel(f.Level) == devices.City {
		where = devices.Title{ZH: "全市", EN: "The city"}
	}
	was, want := f.told()
	return tickets.Area{
		Facility: f.facility(), Defect: Defect(d.Name), Severity: rules.Major, At: dawn, Anew: anew, Value: 100 * f.Value, Limit: 100 * f.Target,
		Summary: devices.Title{
			ZH: fmt.Sprintf("%s %s %s为 %s，低于 %s", where.ZH, f.Period, d.Title.ZH, was, want),
			EN: fmt.Sprintf("%s: %s of %s was %s, below %s", where.EN, d.Title.EN, f.Period, was, want),
		},
		Note:     f.note(d),
		Evidence: f.evidence(d, dawn),
	}
}

// note is what the figure is made of.
func (f *Figure) note(d *Definition) string {
	in := func(n int64) devices.Title { return rules.Amount(float64(n), f.Unit) }
	intact, faulty, unknown, excluded := in(f.Intact), in(f.Faulty), in(f.Unknown), in(f.Excluded)
	best, worst := Percent(f.Best, 2), Percent(f.Worst, 2)
	return fmt.Sprintf("%s（%s，定义版本 %s）：完好 %s，故障 %s，未知 %s，剔除 %s；最好 %s %%，最差 %s %%。%s (%s, definition %s): intact %s, faulty %s, unknown %s, excluded %s; best %s %%, worst %s %%. %s",
		d.Title.ZH, d.Name, d.Version, intact.ZH, faulty.ZH, unknown.ZH, excluded.ZH, best, worst,
		d.Title.EN, d.Name, d.Version, intact.EN, faulty.EN, unknown.EN, excluded.EN, best, worst, f.ListLink(""))
}

// evidence is what the ticket is opened by.
func (f *Figure) evidence(d *Definition, dawn int64) *rules.Evidence {
	value := func(name, zh string, n float64) rules.EvidenceValue {
		return rules.EvidenceValue{Name: name, Title: devices.Title{ZH: zh, EN: name}, Unit: f.Unit, Number: &n, At: dawn}
	}
	link, goal := f.ListLink(""), Goal(f.Target)
	return &rules.Evidence{Rule: Defect(d.Name), Version: d.Name + " " + d.Version, When: fmt.Sprintf("%s低于 %s %%；%s below %s %%", d.Title.ZH, goal, d.Title.EN, goal), Since: dawn, Pending: dawn, At: dawn, Values: []rules.EvidenceValue{
		value("intact", "完好", float64(f.Intact)), value("faulty", "故障", float64(f.Faulty)), value("unknown", "未知", float64(f.Unknown)), value("excluded", "剔除", float64(f.Excluded)),
		{Name: "list", Title: devices.Title{ZH: "清单", EN: "list"}, Text: &link, At: dawn},
	}}
}

// ListLink is the address of the list of the lamps behind a figure, of some
// buckets with commas between, "" for all.
func (f *Figure) ListLink(buckets string) string {
	q := url.Values{"rate": {f.Rate}, "version": {f.Version}, "level": {LevelName(f.Level)}, "from": {f.From}, "to": {f.To}}
	switch {
	case f.Level == int(devices.City):
	case f.Place == "":
		q.Set("place", "-") // the API's word for those that have none
	default:
		q.Set("place", f.Place)
	}
	if buckets != "" {
		q.Set("bucket", buckets)
	}
	return "/api/v1/lighting/rates/lamps?" + q.Encode()
}

// LevelName is what ParseLevel reads.
func LevelName(level int) string {
	if i := slices.Index([]int{LevelCabinet, LevelRoad}, level); i >= 0 {
		return [...]string{"cabinet", "road"}[i]
	}
	return devices.AreaLevel(level).String()
}
