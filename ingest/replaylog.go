package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/ingest/config"
	"lamplighter/ingest/uplog"
	"lamplighter/rules"
	"lamplighter/rules/replay"
	"lamplighter/rules/tickets"
)

// pastReplay judges the log of a data folder.
type pastReplay struct {
	cmd  *rulesReplayCmd
	d    *doorway
	conf *config.Config
	zone *time.Location
	span replay.Span
}

// run prints what would have been opened against what was.
func (p *pastReplay) run() error {
	var err error
	if p.zone, err = time.LoadLocation(p.conf.Zone); err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	if err := p.times(); err != nil {
		return err
	}
	log, err := openPast(p.d.ctx, p.conf, p.cmd.Data)
	if err != nil {
		return err
	}
	defer log.close()
	db, census, _, closeDB, err := openCensus(p.d, p.cmd.Config, p.cmd.Data)
	if err != nil {
		return err
	}
	defer closeDB()
	o, err := replayOptions(p.conf, p.cmd.Rules, log.count())
	if err != nil {
		return err
	}
	if err := census.RecallChannels(p.d.ctx, o.Dict); err != nil {
		return err
	}
	ws, err := tickets.NewWindows(tickets.WindowsOptions{DB: db}).WindowsOf(p.d.ctx, 0, p.span.To.UnixMilli())
	if err != nil {
		return err
	}
	before, err := p.before(census, ws)
	if err != nil {
		return err
	}
	r, err := p.judge(log, &o, before)
	if err != nil {
		return err
	}
	if p.span.From.IsZero() {
		p.span.From = p.span.Known
	}
	from := min(p.span.From.UnixMilli(), p.span.Known.UnixMilli()) // the log may tell of faults that were over before it begins
	past, err := tickets.Past(p.d.ctx, db, from, p.span.To.UnixMilli())
	if err != nil {
		return err
	}
	return p.tell(r, replay.Compare(were(past, p.span.To), r.Tickets, p.span), o.Set.Version())
}

// times reads --from and --to.
func (p *pastReplay) times() (err error) {
	if p.span.From, err = p.instant("--from", p.cmd.From); err != nil {
		return err
	}
	if p.span.To, err = p.instant("--to", p.cmd.To); err != nil {
		return err
	}
	now := time.Now()
	switch {
	case !p.span.To.IsZero() && p.span.To.Before(p.span.From):
		return fmt.Errorf("--to %s lies before --from %s", p.cmd.To, p.cmd.From)
	case p.span.From.After(now):
		return fmt.Errorf("--from %s is still to come; want an instant of the past", p.cmd.From)
	case p.span.To.IsZero() || p.span.To.After(now):
		p.span.To = now // nobody has said anything of what is still to come, and nothing must ripen in it
	}
	return nil
}

// instant reads a day of the city, or an instant; "" is none.
func (p *pastReplay) instant(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, p.zone); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%s %q: want a day as in 2026-06-01 or an instant as in 2026-06-01T20:00:00+08:00", flag, s)
	}
	return t, nil
}

// before is the census as it is now and the windows that were made before a frame:
// the log tells of what changed since its oldest one, but not of what stood before.
func (p *pastReplay) before(census *registry.Registry, ws []tickets.ListedWindow) (func(begin int64) []devices.Item, error) {
	fed, err := allFed(p.d.ctx, census)
	if err != nil {
		return nil, err
	}
	text, err := registry.EncodeFed(fed)
	if err != nil {
		return nil, err
	}
	windows, err := windowItems(ws)
	return func(begin int64) []devices.Item {
		return append([]devices.Item{{Type: devices.ItemCensus, Control: text}}, standing(ws, windows, begin)...)
	}, err
}

// standing is those of the windows, as the log would have them, that were made before
// an instant: of the others the log tells.
func standing(ws []tickets.ListedWindow, items []devices.Item, at int64) (out []devices.Item) {
	for i := range ws {
		if ws[i].MadeAt < at {
			out = append(out, items[i])
		}
	}
	return out
}

// windowItems is each of the windows as the log would have it. None lasts before it
// was made: what had opened by then had opened.
func windowItems(ws []tickets.ListedWindow) ([]devices.Item, error) {
	out := make([]devices.Item, len(ws))
	for i := range ws {
		w := ws[i].Window
		w.From = max(w.From, ws[i].MadeAt)
		b, err := w.Encode()
		if err != nil {
			return nil, err
		}
		out[i] = devices.Item{Type: devices.ItemWindow, Control: b}
	}
	return out, nil
}

// judge lets the rules judge the frames up to the end of the span.
func (p *pastReplay) judge(log pastLog, o *replay.Options, before func(begin int64) []devices.Item) (*replay.Result, error) {
	l := replay.NewLog(o, before)
	var items []devices.Item
	to := p.span.To.UnixMilli()
	err := log.each(p.d.ctx, func(f *uplog.Frame) error {
		if f.Wall >= to {
			return nil
		}
		items = items[:0]
		for r := range f.Records() {
			items = append(items, devices.Item{Type: r.Type, Uplink: r.Uplink, Control: r.Control})
		}
		l.Frame(f.Partition, f.Wall, items)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if p.span.Known = time.UnixMilli(l.Begin()); l.Begin() == 0 {
		return nil, fmt.Errorf("the log in %s has nothing before %s", p.cmd.Data, p.span.To.In(p.zone).Format(time.DateTime))
	}
	return l.Result(), nil
}

// were is tickets of the database as a replay up to an instant has them: what closed
// later was open then.
func were(past []tickets.Ticket, to time.Time) []*replay.Ticket {
	out := make([]*replay.Ticket, len(past))
	for i := range past {
		t := &past[i]
		x := &replay.Ticket{Facility: t.Facility, Defect: t.Defect, Kind: t.Kind, Severity: rules.Severity(t.Severity), OpenedAt: time.UnixMilli(t.OpenedAt).UTC(), EventAt: time.UnixMilli(t.EventAt).UTC(), Historic: t.Historic}
		if t.ClosedAt > 0 && (t.Historic || t.ClosedAt < to.UnixMilli()) {
			at := time.UnixMilli(t.ClosedAt).UTC()
			x.ClosedAt = &at
		}
		out[i] = x
	}
	return out
}

func (p *pastReplay) tell(r *replay.Result, d *replay.Difference, version string) error {
	if r.Trouble != nil {
		fmt.Fprintln(os.Stderr, "passed over:", r.Trouble)
	}
	if p.cmd.Tickets != "" {
		if err := p.cmd.write(p.d.out, nil, r.Tickets); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "%d messages judged, rules %s\n", r.Messages, version)
	if p.cmd.JSON {
		enc := json.NewEncoder(p.d.out)
		enc.SetIndent("", "  ")
		return enc.Encode(d)
	}
	return d.Write(p.d.out, p.zone)
}
