package fleet

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// driftTruth is a line of truth about a bridge.
type driftTruth struct {
	At, Due                       time.Time
	What, Facility, Defect, Cause string
	Ticket, Shipped               bool
}

func driftTruths(t *testing.T, text string) (out []driftTruth) {
	t.Helper()
	for line := range strings.Lines(text) {
		var x driftTruth
		if err := json.Unmarshal([]byte(line), &x); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, x)
	}
	return out
}

// The recordings of a seed stay what they were: a drift takes no luck from anything.
func TestABridgeThatDriftsChangesNothingButItsValues(t *testing.T) {
	o := Options{Seed: 5, Manholes: 20, Streetlights: 60, Bridges: 4, Meters: true, Start: summer, Every: time.Minute, Pace: 300, Trouble: 300}
	var stood, drifted bytes.Buffer
	a, b := o, o
	a.Truth, b.Truth = &stood, &drifted
	still, moves := New(a), New(b)
	moves.then(moves.start+hour, func(at int64) {
		moves.bridges[0].drifts(at, &drift{from: at, to: at + day, by: 10, cause: "subsidence"}, 5*hour)
	})
	other := 0
	for h := range 12 {
		now := summer.Add(time.Duration(h+1) * time.Hour)
		p, q := still.Step(now), moves.Step(now)
		if len(p) != len(q) {
			t.Fatalf("%d messages in hour %d, %d where a bridge drifts", len(p), h, len(q))
		}
		for i := range p {
			x, y := &p[i], &q[i]
			if x.At != y.At || x.Topic != y.Topic || x.Retain != y.Retain {
				t.Fatalf("%d %s against %d %s", x.At, x.Topic, y.At, y.Topic)
			}
			if bytes.Equal(x.Payload, y.Payload) {
				continue
			}
			if other++; y.Device != "BR-001" {
				t.Fatalf("%s says %s, and %s where another bridge drifts", x.Device, x.Payload, y.Payload)
			}
		}
	}
	if other < 100 {
		t.Errorf("%d messages of the bridge are others, want most of 11 hours", other)
	}
	strip := func(text string) (out []driftTruth) {
		for _, x := range driftTruths(t, text) {
			if x.Defect != "bridge_drift" {
				out = append(out, x)
			}
		}
		return out
	}
	p, q := strip(stood.String()), strip(drifted.String())
	if len(p) == 0 || len(p) != len(q) {
		t.Fatalf("%d lines of other truth, %d where a bridge drifts", len(p), len(q))
	}
	for i := range p {
		if p[i] != q[i] {
			t.Errorf("truth %+v, where a bridge drifts %+v", p[i], q[i])
		}
	}
}

// What the ground takes shows as settlement, what a bearing does as displacement alone.
func TestADriftMovesAndStaysUntilTheBridgeIsJackedUp(t *testing.T) {
	for cause, settles := range map[string]float64{"subsidence": 1, "bearing": 0} {
		var told bytes.Buffer
		c := New(Options{Seed: 1, Bridges: 1, Start: summer, Truth: &told})
		b := c.bridges[0]
		begin := c.start + learning
		was := func(at int64) float64 { return b.rest(at) - b.drift.moved(at) }
		b.drifts(begin, &drift{from: begin, to: begin + 8*day, by: 10, cause: cause}, 20*day)
		for days, want := range map[int64]float64{0: 0, 4: 5, 8: 10, 19: 10} {
			at := begin + days*day
			if got := b.rest(at) - was(at); math.Abs(got-want) > 1e-9 || math.Abs(b.drift.sunk(at)-settles*want) > 1e-9 {
				t.Errorf("%s: after %d days by %g mm, of which it has sunk %g; want %g", cause, days, got, b.drift.sunk(at), want)
			}
		}
		b.overload(begin+9*day, "settlement") // and then it gives way
		if over := b.rest(begin + 9*day); over < 1.3*b.limit+10 || b.drift != nil {
			t.Errorf("%s: given way it is at %g mm, want its drift and 1.3 times %g", cause, over, b.limit)
		}
		b.relieve(begin + 10*day)
		lines := driftTruths(t, told.String())
		if len(lines) != 4 || lines[0].Defect != "bridge_drift" || lines[1].Defect+lines[1].What != "bridge_driftend" || lines[2].Defect != "bridge_limit" {
			t.Fatalf("%s: the truth is %+v", cause, lines)
		}
		if x := lines[0]; x.Ticket || !x.Shipped || x.Cause != cause || x.Due.UnixMilli() != begin+4*day+clearFor {
			t.Errorf("%s: want it asked of deploy/rules five days after it has moved by 5 mm: %+v", cause, x)
		}
	}
}

// Nobody can know of a bridge that moved before it was learned what is usual of it.
func TestADriftIsAskedForWhereItCanBeKnown(t *testing.T) {
	var told bytes.Buffer
	c := New(Options{Seed: 9, Bridges: 200, Start: summer, Every: 12 * time.Hour, Pace: 10, Haste: 2, Truth: &told})
	end := summer.Add(40 * 24 * time.Hour)
	c.Skip(end)
	moved, asked, not, ended := map[string]bool{}, 0, 0, 0
	for _, x := range driftTruths(t, told.String()) {
		switch {
		case x.Defect == "bridge_limit" && x.Cause == "settlement":
			moved[x.Facility] = true
		case x.Defect != "bridge_drift":
		case x.What == "end":
			ended++
		default:
			want := !moved[x.Facility] && x.At.Sub(summer) >= time.Duration(learning)*time.Millisecond
			if x.Shipped != want || x.Ticket || want != !x.Due.IsZero() {
				t.Errorf("%+v, want asked for %v", x, want)
			}
			if d := x.Due.Sub(x.At); want && (d < 7*24*time.Hour || d > 18*24*time.Hour) {
				t.Errorf("%+v: due after %v", x, d)
			}
			if moved[x.Facility] = true; want {
				asked++
			} else {
				not++
			}
		}
	}
	// 0.4 a year of each: some 80, a few less for those that drift already
	if n := asked + not; n < 50 || n > 95 || asked < 20 || not < 20 || ended < 5 {
		t.Errorf("%d are asked for, %d are not, %d were mended", asked, not, ended)
	}
}
