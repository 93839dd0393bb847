package fleet

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"lamplighter/devices"
)

// badSensor is a sensor of a bridge that says what is not so.
type badSensor struct {
	device  *device
	channel string
	cause   string // stuck or spikes
	defect  *defect
	value   float64 // of what is stuck
	next    int64   // when the next spike is due
}

const (
	// stuckFor is how long a sensor has to be stuck for the built-in rules to see it.
	stuckFor = 6*hour + hour/4
	// spikeEvery is how often a bad contact spikes, on average.
	spikeEvery = 20 * 60_000
	// spikesFor is how long it has to for the built-in rules to see it.
	spikesFor = 6 * hour
)

// fails makes a sensor of the bridge bad for some time, ms.
func (b *bridge) fails(at int64, cause string, long int64) {
	d := b.device
	channel := [...]string{"displacement_mm", "inclination_deg", "strain_ue"}[d.IntN(3)]
	least := map[string]int64{"stuck": stuckFor, "spikes": max(spikesFor, 60*d.every)}[cause]
	b.broken = &badSensor{device: d, channel: channel, cause: cause, value: math.NaN(), next: at, defect: &defect{facility: d.ID, name: "sensor_fault", cause: cause, ticket: long >= least}}
	d.city.truth.begin(at, b.broken.defect)
	d.city.then(at+long, func(at int64) {
		d.city.truth.end(at, b.broken.defect)
		b.broken = nil
	})
}

// spoil alters a measurement.
func (s *badSensor) spoil(at int64, out *values) {
	for i := range out.list {
		v := &out.list[i]
		switch {
		case v.name != s.channel:
		case s.cause == "stuck" && math.IsNaN(s.value):
			s.value = v.num
		case s.cause == "stuck":
			v.num = s.value
		case at >= s.next:
			v.num += map[string]float64{"displacement_mm": 90, "inclination_deg": 4, "strain_ue": 1500}[s.channel]
			s.next = at + max(2*s.device.every, s.device.wait(spikeEvery)) // never two in a row: that would be a load
		}
	}
}

const (
	// wavesEvery is how many measurements go with one block of waveform.
	wavesEvery = 12
	waveRate   = 50  // samples a second
	waveCount  = 256 // samples of a block
)

// shakes sends how the bridge has just shaken: its natural frequency, which falls
// with the heat and under a load, in the noise of the sensor.
func (b *bridge) shakes(at int64, load float64) {
	d := b.device
	hz, phase, size := 3.42-0.004*(b.steel(at)-20)-0.003*b.queued, d.Float64(), 0.02+0.004*load
	var raw [2 * waveCount]byte
	for i := range waveCount {
		x := size*math.Sin(2*math.Pi*(hz*float64(i)/waveRate+phase)) + d.noise(0.004)
		binary.LittleEndian.PutUint16(raw[2*i:], uint16(int16(math.Round(x*1e4))))
	}
	start := d.city.open()
	buf := append(d.city.arena, `{"id":"`...)
	buf = append(buf, d.boot...)
	buf = append(buf, '-')
	buf = strconv.AppendUint(buf, b.waves, 10)
	buf = append(buf, `","k":1,"n":1,`...)
	if !d.clock.none {
		buf = append(buf, `"t0":`...)
		buf = strconv.AppendInt(buf, d.clock.read(at, at-d.booted)-1000*waveCount/waveRate, 10)
		buf = append(buf, ',')
	}
	buf = append(buf, `"fs":50,"ch":[{"n":"acceleration_z_ms2","scale":0.0001}],"cnt":256,"enc":"i16le","d":"`...)
	buf = base64.StdEncoding.AppendEncode(buf, raw[:])
	d.city.arena = append(buf, '"', '}')
	d.send(at, devices.TopicWave, start, true)
}
