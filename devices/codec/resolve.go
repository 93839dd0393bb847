package codec

import (
	"fmt"
	"math"
	"time"

	"lamplighter/devices"
)

// clock is what an object says about its time.
type clock struct {
	ts     int64   // Unix ms as claimed
	up     int64   // ms since boot
	rel    float64 // seconds relative to the message
	hasTS  bool
	hasUp  bool
	hasRel bool
}

// timestamp reads ts or t0: Unix milliseconds, or text in RFC 3339 with a zone.
func (d *Decoder) timestamp(c *clock) *devices.Refusal {
	s := &d.scan
	c.hasTS = true
	if s.peek() == '"' {
		b, ok := s.str()
		if !ok {
			return d.broken()
		}
		t, err := time.Parse(time.RFC3339Nano, string(b))
		if err != nil {
			return d.refuse(devices.CodeTime, "%s %q: want Unix milliseconds, or RFC 3339 with a zone as in 2026-01-01T08:00:00.123+08:00", d.at.key, clip(string(b)))
		}
		c.ts = t.UnixMilli()
		return nil
	}
	n, ref := d.float()
	if ref != nil {
		return ref
	}
	if math.Abs(n) > 1<<53 {
		return d.refuse(devices.CodeTime, "%s %g: want Unix milliseconds", d.at.key, n)
	}
	c.ts = int64(n)
	return nil
}

// resolve gives every reading its time, in this order: the device's clock if it
// is synchronised and plausible; the difference of uptimes; the relative time;
// the receive time. Differences count from the message's own time if that is
// good, else from the receive time.
func (d *Decoder) resolve(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	h := &d.head
	base, baseSource := u.Received, devices.TimeReceived
	if h.clock.hasTS && h.clk != "none" {
		if why := d.implausible(h.clock.ts, u.Received); why == "" {
			base, baseSource, m.Sent = h.clock.ts, devices.TimeDevice, h.clock.ts
		} else {
			m.Notice = &devices.Refusal{Code: devices.CodeTime, Path: "/ts", Msg: why + "; the receive time was used", Seq: h.seq}
		}
	}
	first := len(d.readings)
	for i := range d.spans {
		sp := &d.spans[i]
		r := devices.Reading{Device: sp.clock.ts, Received: u.Received, Index: i, Values: d.values[sp.first:sp.end:sp.end]}
		var ref *devices.Refusal
		if r.Time, r.Source, ref = d.instant(sp, i, base, baseSource, u, m); ref != nil {
			return ref
		}
		if n := len(d.readings); n > first && d.readings[n-1].Time == r.Time && d.shareChannel(d.readings[n-1].Values, r.Values) {
			return d.sameInstant(i, m)
		}
		if r.Source == devices.TimeDevice {
			m.Sent = max(m.Sent, r.Time)
		}
		d.readings = append(d.readings, r)
	}
	m.Readings = d.readings[first:len(d.readings):len(d.readings)]
	if u.Flags.Has(devices.FlagRetained) && m.Type == devices.Telemetry {
		return retained(m)
	}
	return nil
}

// instant is the time of one reading.
func (d *Decoder) instant(sp *span, i int, base int64, baseSource devices.TimeSource, u *devices.Uplink, m *devices.Message) (int64, devices.TimeSource, *devices.Refusal) {
	c, h := &sp.clock, &d.head
	if c.hasTS && h.clk != "none" && *c != h.clock {
		why := d.implausible(c.ts, u.Received)
		if why == "" {
			return c.ts, devices.TimeDevice, nil
		}
		if m.Notice == nil {
			m.Notice = &devices.Refusal{Code: devices.CodeTime, Path: d.readingPath(i, "ts"), Msg: why + "; the receive time was used", Seq: h.seq}
		}
	}
	if h.hasList && c.hasUp && h.clock.hasUp {
		back := h.clock.up - c.up
		if back < 0 || back > d.opt.MaxPast.Milliseconds() {
			return 0, 0, &devices.Refusal{Code: devices.CodeTime, Path: d.readingPath(i, "up"), Msg: fmt.Sprintf("the reading's up %d lies after the message's %d", c.up, h.clock.up)}
		}
		return base - back, devices.TimeUptime, nil
	}
	if c.hasRel {
		if c.rel > d.opt.MaxFuture.Seconds() || c.rel < -d.opt.MaxPast.Seconds() {
			return 0, 0, &devices.Refusal{Code: devices.CodeTime, Path: d.readingPath(i, "t"), Msg: fmt.Sprintf("t is %g s from the message; want seconds, 0 or below", c.rel)}
		}
		return base + int64(math.Round(c.rel*1000)), devices.TimeRelative, nil
	}
	return base, baseSource, nil
}

// implausible says what is wrong with a claimed time, "" if nothing is.
func (d *Decoder) implausible(ts, received int64) string {
	switch {
	case ts > received+d.opt.MaxFuture.Milliseconds():
		return fmt.Sprintf("ts %d (%s) lies in the future; is the clock synchronised?", ts, day(ts))
	case ts < received-d.opt.MaxPast.Milliseconds():
		if inS := ts * 1000; ts > 0 && inS > received-d.opt.MaxPast.Milliseconds() && inS <= received+d.opt.MaxFuture.Milliseconds() {
			return fmt.Sprintf("ts %d is in seconds; want milliseconds", ts)
		}
		return fmt.Sprintf("ts %d (%s) lies too far in the past; is the clock synchronised?", ts, day(ts))
	}
	return ""
}

func day(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }

func (d *Decoder) readingPath(i int, key string) string {
	if d.head.hasList {
		return fmt.Sprintf("/r/%d/%s", i, key)
	}
	if len(d.spans) > 1 {
		return fmt.Sprintf("/%d/%s", i, key)
	}
	return "/" + key
}

func (d *Decoder) sameInstant(i int, m *devices.Message) *devices.Refusal {
	if m.Notice != nil {
		return &devices.Refusal{Code: devices.CodeTime, Path: m.Notice.Path, Msg: fmt.Sprintf("the readings' own times cannot be used (%s), and without them they would fall on one instant", m.Notice.Msg)}
	}
	return &devices.Refusal{Code: devices.CodeTime, Path: d.readingPath(i, "ts"), Msg: "two readings of the same channel have the same time; give each its ts, up or t"}
}

func (d *Decoder) shareChannel(a, b []devices.Value) bool {
	d.object++
	for i := range a {
		d.seen[a[i].Channel.ID] = d.object
	}
	for i := range b {
		if d.seen[b[i].Channel.ID] == d.object {
			return true
		}
	}
	return false
}

// retained refuses a replayed message that does not say when it was true.
func retained(m *devices.Message) *devices.Refusal {
	for i := range m.Readings {
		if m.Readings[i].Source != devices.TimeDevice {
			return &devices.Refusal{Code: devices.CodeTime, Path: "/ts", Msg: "a retained message without its own time says nothing about now; send telemetry without the retain flag, or with ts"}
		}
	}
	return nil
}

// eventTime is the time of the event: that of its readings, or the message's.
func (d *Decoder) eventTime(u *devices.Uplink, m *devices.Message) int64 {
	if len(m.Readings) > 0 {
		return m.Readings[0].Time
	}
	if h := &d.head; h.clock.hasTS && h.clk != "none" && d.implausible(h.clock.ts, u.Received) == "" {
		return h.clock.ts
	}
	return u.Received
}
