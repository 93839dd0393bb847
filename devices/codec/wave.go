package codec

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"lamplighter/devices"
	"lamplighter/devices/bridge"
)

// A waveform block comes in n parts, each a message of its own:
//
//	{"id":"b7","k":1,"n":8,"t0":1767225600123,"fs":500,"ch":[{"n":"acceleration_z_ms2","scale":2.4e-6,"off":0}],"cnt":2500,"enc":"i16le","d":"<base64>","crc":3735928559}
//
// t0 is when the first sample of this part was taken, fs the samples a second of
// each channel, cnt the samples of each channel in this part. d holds them sample by
// sample, the channels of ch after each other; value = raw × scale + off.
// enc is i16le, i32le or f32le; crc is the CRC-32 of zlib and Ethernet (IEEE 802.3)
// of the bytes behind the base64, as a number or as hexadecimal text.
//
// Every part is judged by itself: rms, peak and dominant frequency of its
// stretch become ordinary channels at the instant of its end. So no part waits for
// another, none is kept in memory, a part that is lost loses its stretch only, and
// whoever decodes the same part makes the same of it.

// The limits of a waveform block.
const (
	MaxWave         = 256 << 10 // bytes of a part, as of a packet of the listener
	MaxWaveChannels = 16
	MaxWaveParts    = 10_000
	MaxWaveRate     = 10_000 // samples a second
	MinWaveSamples  = 16     // of a channel in a part
	maxWaveName     = MaxName - len("_frequency_hz")
)

// waveChannel is one of ch.
type waveChannel struct {
	name       string
	scale, off float64
}

// wave is a part of a block before its samples are read.
type wave struct {
	id       string
	k, n     int64
	t0       clock
	fs       float64
	channels []waveChannel
	cnt      int64
	enc      string
	crc      uint32
	hasCRC   bool
	seen     uint16 // bits of waveKeys
}

// waveKeys are the members of a part; those before optional must be there.
var waveKeys = [...]string{"id", "k", "n", "fs", "ch", "cnt", "enc", "d", "t0", "crc"}

const optional = 8

// wave reads a part into m.
func (d *Decoder) wave(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	if len(u.Payload) > MaxWave {
		return &devices.Refusal{Code: devices.CodeSize, Msg: fmt.Sprintf("the part has %d bytes, at most %d are allowed; send more and smaller parts", len(u.Payload), MaxWave)}
	}
	w := wave{channels: d.waveChannels[:0]}
	d.waveBytes = d.waveBytes[:0]
	d.scan.reset(u.Payload)
	ref := d.eachMember("expected an object", func(key []byte) *devices.Refusal { return d.waveMember(key, &w) })
	d.waveChannels = w.channels
	if ref != nil {
		return ref
	}
	d.at.key = ""
	if d.scan.peek() != 0 || d.scan.pos < len(d.scan.b) {
		return d.refuse(devices.CodeJSON, "at byte %d: more text after the end of the message", d.scan.pos)
	}
	for i, key := range waveKeys[:optional] {
		if w.seen&(1<<i) == 0 {
			d.at.key = key
			return d.refuse(devices.CodeField, "is missing; a part has %q", waveKeys[:optional])
		}
	}
	if ref := d.waveCheck(&w); ref != nil {
		return ref
	}
	m.Hash = xxhash.Sum64String(w.id + "/" + strconv.FormatInt(w.k, 10))
	return d.waveReading(&w, u, m)
}

func (d *Decoder) waveMember(key []byte, w *wave) (ref *devices.Refusal) {
	d.at.key = string(key)
	at := -1
	for i, k := range waveKeys {
		if k == string(key) {
			at = i
		}
	}
	switch {
	case at < 0:
		return d.refuse(devices.CodeField, "a waveform has no such key; want %q", waveKeys)
	case w.seen&(1<<at) != 0:
		return d.refuse(devices.CodeJSON, "the key %q stands twice in one object", key)
	}
	w.seen |= 1 << at
	switch string(key) {
	case "id":
		return d.short(&w.id)
	case "k":
		w.k, ref = d.integer(1, MaxWaveParts)
	case "n":
		w.n, ref = d.integer(1, MaxWaveParts)
	case "t0":
		return d.timestamp(&w.t0)
	case "fs":
		if w.fs, ref = d.float(); ref == nil && (w.fs <= 0 || w.fs > MaxWaveRate) {
			return d.refuse(devices.CodeField, "found %g samples a second; want more than 0, at most %d", w.fs, MaxWaveRate)
		}
	case "ch":
		return d.waveList(w)
	case "cnt":
		w.cnt, ref = d.integer(MinWaveSamples, MaxWave)
	case "enc":
		return d.short(&w.enc, "i16le", "i32le", "f32le")
	case "d":
		return d.waveData()
	case "crc":
		return d.waveSum(w)
	}
	return ref
}

// waveList reads ch.
func (d *Decoder) waveList(w *wave) *devices.Refusal {
	s := &d.scan
	if !s.take('[') {
		s.fail(`expected a list of channels, as in [{"n":"acceleration_z_ms2","scale":2.4e-6,"off":0}]`)
		return d.broken()
	}
	for i := 0; ; i++ {
		d.at.key = fmt.Sprintf("ch/%d", i)
		if i >= MaxWaveChannels {
			return d.refuse(devices.CodeSize, "more than %d channels; send the others in a block of their own", MaxWaveChannels)
		}
		c := waveChannel{scale: 1}
		ref := d.eachMember("expected an object", func(key []byte) (ref *devices.Refusal) {
			d.at.key = fmt.Sprintf("ch/%d/%s", i, key)
			switch string(key) {
			case "n":
				return d.short(&c.name)
			case "scale":
				c.scale, ref = d.float()
			case "off":
				c.off, ref = d.float()
			default:
				ref = d.refuse(devices.CodeField, "a channel of a waveform has n, scale and off")
			}
			return ref
		})
		if ref != nil {
			return ref
		}
		w.channels = append(w.channels, c)
		if s.take(',') {
			continue
		}
		if s.take(']') {
			return nil
		}
		s.fail("expected , or ] in a list")
		return d.broken()
	}
}

// waveData reads d into waveBytes.
func (d *Decoder) waveData() *devices.Refusal {
	if d.scan.peek() != '"' {
		return d.refuse(devices.CodeField, "found %s; want text in base64", d.found())
	}
	text, ok := d.scan.str()
	if !ok {
		return d.broken()
	}
	out, err := base64.StdEncoding.AppendDecode(d.waveBytes[:0], text)
	if err != nil {
		return d.refuse(devices.CodeField, "it is no base64 (RFC 4648, with padding): %v", err)
	}
	d.waveBytes = out
	return nil
}

// waveSum reads crc.
func (d *Decoder) waveSum(w *wave) *devices.Refusal {
	w.hasCRC = true
	if d.scan.peek() != '"' {
		n, ref := d.integer(0, math.MaxUint32)
		w.crc = uint32(n)
		return ref
	}
	var text string
	if ref := d.short(&text); ref != nil {
		return ref
	}
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		return d.refuse(devices.CodeField, "found %q; want the CRC-32 as a number, or as up to 8 hexadecimal digits", text)
	}
	w.crc = uint32(n)
	return nil
}

// waveCheck holds the members of a part against each other.
func (d *Decoder) waveCheck(w *wave) *devices.Refusal {
	fail := func(key, format string, args ...any) *devices.Refusal {
		d.at.key = key
		return d.refuse(devices.CodeField, format, args...)
	}
	if w.id == "" {
		return fail("id", "it is empty; want a name that no other block of the device has")
	}
	if w.k > w.n {
		return fail("k", "part %d of %d; parts count from 1 to n", w.k, w.n)
	}
	for i, c := range w.channels {
		if c.name == "" || len(c.name) > maxWaveName {
			return fail(fmt.Sprintf("ch/%d/n", i), "found %q; want the name of a channel, at most %d bytes", clip(c.name), maxWaveName)
		}
		d.at.key = fmt.Sprintf("ch/%d/n", i)
		if ref := d.checkName([]byte(c.name)); ref != nil {
			return ref
		}
		if math.IsInf(c.scale, 0) || math.IsInf(c.off, 0) || c.scale == 0 {
			return fail(fmt.Sprintf("ch/%d/scale", i), "found scale %g and off %g; want finite numbers, scale not 0", c.scale, c.off)
		}
	}
	if want := w.cnt * int64(len(w.channels)) * int64(width(w.enc)); int64(len(d.waveBytes)) != want {
		return fail("d", "found %d bytes; %d samples of %d channels in %s are %d", len(d.waveBytes), w.cnt, len(w.channels), w.enc, want)
	}
	if sum := crc32.ChecksumIEEE(d.waveBytes); w.hasCRC && sum != w.crc {
		return fail("crc", "found %08x; the CRC-32 (IEEE) of the %d bytes of d is %08x: the part was damaged on its way", w.crc, len(d.waveBytes), sum)
	}
	return nil
}

// width is the bytes of a sample.
func width(enc string) int {
	if enc == "i16le" {
		return 2
	}
	return 4
}

// waveReading makes the features of a part, at the instant of its end.
func (d *Decoder) waveReading(w *wave, u *devices.Uplink, m *devices.Message) *devices.Refusal {
	r := devices.Reading{Time: u.Received, Received: u.Received, Source: devices.TimeReceived}
	if w.t0.hasTS {
		r.Device = w.t0.ts + int64(math.Round(1000*float64(w.cnt)/w.fs))
		if why := d.implausible(r.Device, u.Received); why == "" {
			r.Time, r.Source, m.Sent = r.Device, devices.TimeDevice, r.Device
		} else {
			m.Notice = &devices.Refusal{Code: devices.CodeTime, Path: "/t0", Msg: why + "; the receive time was used"}
		}
	}
	first := len(d.values)
	d.object++
	for i := range w.channels {
		d.at.key = fmt.Sprintf("ch/%d/n", i)
		if ref := d.features(w, i); ref != nil {
			return ref
		}
	}
	r.Values = d.values[first:len(d.values):len(d.values)]
	d.readings = append(d.readings, r)
	n := len(d.readings)
	m.Readings = d.readings[n-1 : n : n]
	if u.Flags.Has(devices.FlagRetained) {
		return retained(m)
	}
	return nil
}

// features appends those of channel i.
func (d *Decoder) features(w *wave, i int) *devices.Refusal {
	c := &w.channels[i]
	name := c.name
	if known := d.dict.Lookup([]byte(name)); known != nil {
		name = known.Name
	}
	if ref := d.samples(w, i); ref != nil {
		return ref
	}
	f := d.spectrum.Of(d.waveSamples, w.fs)
	rms, peak, frequency := bridge.FeatureNames(name)
	for _, x := range []struct {
		name string
		num  float64
	}{{rms, f.RMS}, {peak, f.Peak}, {frequency, f.Frequency}} {
		if math.IsNaN(x.num) {
			continue
		}
		if ref := d.put(d.dict.Lookup([]byte(x.name)), x.name, devices.Value{Num: x.num}, devices.Number); ref != nil {
			return ref
		}
	}
	return nil
}

// samples reads those of channel i into waveSamples.
func (d *Decoder) samples(w *wave, i int) *devices.Refusal {
	c, size, le := &w.channels[i], width(w.enc), binary.LittleEndian
	d.waveSamples = d.waveSamples[:0]
	for at := i * size; at < len(d.waveBytes); at += size * len(w.channels) {
		x, b := 0.0, d.waveBytes[at:]
		switch w.enc {
		case "i16le":
			x = float64(int16(le.Uint16(b)))
		case "i32le":
			x = float64(int32(le.Uint32(b)))
		default:
			x = float64(math.Float32frombits(le.Uint32(b)))
		}
		if x = x*c.scale + c.off; math.IsNaN(x) || math.Abs(x) > maxSample {
			d.at.key = "d"
			return d.refuse(devices.CodeField, "sample %d of %s is %g; want finite numbers", len(d.waveSamples), c.name, x)
		}
		d.waveSamples = append(d.waveSamples, x)
	}
	return nil
}

// maxSample bounds a sample, so that its square is a number.
const maxSample = 1e100
