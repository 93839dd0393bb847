// Package fleet is a simulated city: covers, lamps on circuits and a bridge,
// deterministic for a seed, that publish as real devices do: with duplicates,
// garbage, and defects whose truth is known.
package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"lamplighter/devices"
)

// Options of a City.
type Options struct {
	Seed         uint64
	Manholes     int
	Streetlights int // 20 on a circuit
	Bridges      int
	Lon, Lat     float64   // of the city's middle
	Start        time.Time // of the story: defects begin 10 to 30 s later
	Every        time.Duration
	Truth        io.Writer // what really happened, as JSON lines; may be nil
}

// Facility is one facility of the city, for its census.
type Facility struct {
	ID               string
	Kind             devices.Kind
	Name             string
	Lon, Lat         float64
	Area             devices.AreaCode
	Cabinet, Circuit string
	ExpectS          int64
	Limits           map[string]float64
}

// Publish is one message that a device sends.
type Publish struct {
	Device  string
	Topic   string
	Payload []byte
}

// City is the simulated city. It belongs to one goroutine.
type City struct {
	opt  Options
	rnd  *rand.Rand
	list []*device
}

type device struct {
	Facility
	seq  int64
	next time.Time
	bad  map[string]bool // defects it has told the truth file of
}

// lampsPerCircuit is how many lamps hang on one circuit.
const lampsPerCircuit = 20

// New lays the city out.
func New(o Options) *City {
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	c := &City{opt: o, rnd: rand.New(rand.NewPCG(o.Seed, 1))}
	for i := range o.Manholes {
		c.add(Facility{ID: fmt.Sprintf("MH-%05d", i+1), Kind: devices.Manhole, Name: fmt.Sprintf("%d 号井盖", i+1)})
	}
	for i := range o.Streetlights {
		n := i / lampsPerCircuit
		c.add(Facility{ID: fmt.Sprintf("SL-%05d", i+1), Kind: devices.Streetlight, Name: fmt.Sprintf("%d 号路灯", i+1), Cabinet: fmt.Sprintf("CAB-%03d", n/3+1), Circuit: fmt.Sprintf("C%d", n%3+1)})
	}
	for i := range o.Bridges {
		c.add(Facility{ID: fmt.Sprintf("BR-%03d", i+1), Kind: devices.Bridge, Name: fmt.Sprintf("%d 号桥", i+1), Limits: map[string]float64{"displacement_mm": 40, "inclination_deg": 1.5, "strain_ue": 900}})
	}
	return c
}

func (c *City) add(f Facility) {
	f.Lon = c.opt.Lon + (c.rnd.Float64()-0.5)*0.08
	f.Lat = c.opt.Lat + (c.rnd.Float64()-0.5)*0.06
	f.Area, f.ExpectS = devices.AreaCode(fmt.Sprintf("350102%03d", 1+c.rnd.IntN(6))), int64(c.opt.Every.Seconds())
	c.list = append(c.list, &device{Facility: f, next: c.opt.Start.Add(time.Duration(c.rnd.Int64N(int64(c.opt.Every)))), bad: map[string]bool{}})
}

// Census is every facility of the city.
func (c *City) Census() []Facility {
	out := make([]Facility, len(c.list))
	for i, d := range c.list {
		out[i] = d.Facility
	}
	return out
}

// Step is what the devices send up to now.
func (c *City) Step(now time.Time) []Publish {
	var out []Publish
	for i, d := range c.list {
		if now.Before(d.next) {
			continue
		}
		d.next = d.next.Add(c.opt.Every)
		if now.Sub(d.next) > c.opt.Every {
			d.next = now.Add(c.opt.Every)
		}
		if p, ok := c.message(i, d, now); ok {
			out = append(out, p)
			switch c.rnd.IntN(200) {
			case 0:
				out = append(out, p) // sent twice
			case 1:
				out = append(out, Publish{p.Device, p.Topic, []byte(`{"tilt_deg":`)})
			}
		}
	}
	return out
}

// age is how far the story has come.
func (c *City) age(now time.Time) time.Duration { return now.Sub(c.opt.Start) }

// message is what d says now; ok is false while it is silent.
func (c *City) message(i int, d *device, now time.Time) (Publish, bool) {
	v := map[string]any{"battery_v": round(3.6 - 0.1*c.rnd.Float64()), "rssi_dbm": -80 - c.rnd.IntN(30)}
	switch d.Kind {
	case devices.Manhole:
		c.cover(i, d, now, v)
	case devices.Streetlight:
		if c.dark(d, now) {
			return Publish{}, false
		}
		c.lamp(d, now, v)
	case devices.Bridge:
		c.bridge(d, now, v)
	}
	d.seq++
	body, err := json.Marshal(map[string]any{"seq": d.seq, "boot": fmt.Sprintf("%x", c.opt.Start.Unix()), "clk": "sync", "ts": now.UnixMilli(), "v": v})
	if err != nil {
		return Publish{}, false
	}
	return Publish{d.ID, devices.Topic{Device: devices.DeviceID(d.ID), Leaf: devices.TopicTelemetry}.String(), body}, true
}

func (c *City) cover(i int, d *device, now time.Time, v map[string]any) {
	tilt := 0.5 + c.rnd.Float64()
	if d.ID == "MH-00001" && c.age(now) > 10*time.Second && c.age(now) < 5*time.Minute {
		tilt = 34
		c.truth(d, now, "cover_displaced")
	}
	v["tilt_deg"], v["cover_open"], v["water_level_m"] = round(tilt), tilt > 15, round(0.3+0.1*math.Sin(float64(now.Unix()+int64(i)*60)/900))
}

// dark tells whether the lamp's circuit has tripped: the second one does.
func (c *City) dark(d *device, now time.Time) bool {
	tripped := d.Cabinet == "CAB-001" && d.Circuit == "C2" && c.age(now) > 20*time.Second && c.age(now) < 10*time.Minute
	if tripped {
		c.truth(d, now, "circuit_silent")
	}
	return tripped
}

func (c *City) lamp(d *device, now time.Time, v map[string]any) {
	on := Night(now, d.Lon, d.Lat)
	power := 0.4
	if on {
		power = 58 + 4*c.rnd.Float64()
	}
	if d.ID == "SL-00005" && c.age(now) > 15*time.Second {
		on, power = true, 0.3
		v["lamp_failure"] = true
		c.truth(d, now, "lamp_out")
	}
	v["lamp_on"], v["power_w"], v["voltage_v"] = on, round(power), round(221+4*c.rnd.Float64())
}

func (c *City) bridge(d *device, now time.Time, v map[string]any) {
	x := 6*math.Sin(float64(now.Unix())/120) + c.rnd.Float64()
	if d.ID == "BR-001" && c.age(now) > 25*time.Second && c.age(now) < 8*time.Minute {
		x = 47
		c.truth(d, now, "bridge_limit")
	}
	v["displacement_mm"], v["inclination_deg"], v["strain_ue"], v["temperature_c"] = round(x), round(0.02*c.rnd.Float64()), round(120+30*c.rnd.Float64()), round(24+3*math.Sin(float64(now.Unix())/7200))
}

func (c *City) truth(d *device, now time.Time, defect string) {
	if d.bad[defect] || c.opt.Truth == nil {
		return
	}
	d.bad[defect] = true
	fmt.Fprintf(c.opt.Truth, "{\"at\":%q,\"facility\":%q,\"defect\":%q}\n", now.Format(time.RFC3339Nano), d.ID, defect)
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// Night tells whether the sun is more than 3 degrees below the horizon at a
// place, by the low-precision formula of the Astronomical Almanac (good to
// 0.1 degree).
func Night(t time.Time, lon, lat float64) bool {
	days := float64(t.Unix()-946728000) / 86400 // since J2000.0
	g := rad(357.529 + 0.98560028*days)
	l := rad(280.459+0.98564736*days) + rad(1.915*math.Sin(g)+0.020*math.Sin(2*g))
	e := rad(23.439)
	dec := math.Asin(math.Sin(e) * math.Sin(l))
	ra := math.Atan2(math.Cos(e)*math.Sin(l), math.Cos(l))
	gmst := rad(math.Mod(280.46061837+360.98564736629*days, 360))
	h := gmst + rad(lon) - ra
	alt := math.Asin(math.Sin(rad(lat))*math.Sin(dec) + math.Cos(rad(lat))*math.Cos(dec)*math.Cos(h))
	return alt < rad(-3)
}

func rad(d float64) float64 { return d * math.Pi / 180 }

// Run publishes the city's messages until ctx ends.
func (c *City) Run(ctx context.Context, publish func(context.Context, Publish) error) error {
	t := time.NewTicker(250 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			for _, p := range c.Step(now) {
				if err := publish(ctx, p); err != nil {
					return fmt.Errorf("publish for %s: %w", p.Device, err)
				}
			}
		}
	}
}
