package record

import (
	"context"
	"fmt"
	"io"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/devices/tape"
	"lamplighter/simulators/fleet"
)

// Options of a recording.
type Options struct {
	City fleet.Options // Truth is overwritten
	Last time.Duration // how long the city lives
	Tell func(Progress)
}

// Progress is how far a recording has come.
type Progress struct {
	Done    time.Duration // of the city's time
	Records int
	Bytes   int64 // of the tape
}

// Outputs are where the parts of a recording go.
type Outputs struct {
	Tape   io.Writer
	Census io.Writer // CSV, as `devices import` takes it
	Truth  io.Writer // see [Truth]
}

// step is how much of the city's time is told at once.
const step = 10 * time.Minute

// Record writes a recording. The census stands at the beginning of the tape too.
// The same options give the same bytes.
func Record(ctx context.Context, o Options, out Outputs) error {
	truth := &pairs{}
	o.City.Truth, o.City.Notes = truth, false
	city := fleet.New(o.City)
	if err := (&fleet.CensusWriter{}).WriteAll(out.Census, city.Census()); err != nil {
		return err
	}
	count := &counter{out: out.Tape}
	begin := o.City.Start.UnixMilli()
	w, err := tape.NewWriter(count, begin)
	if err != nil {
		return err
	}
	n, err := writeCensus(w, city, begin)
	if err != nil {
		return err
	}
	for done := time.Duration(0); done < o.Last; {
		if err := ctx.Err(); err != nil {
			return err
		}
		done = min(o.Last, done+step)
		sent := city.Step(o.City.Start.Add(done))
		if err := writeSent(w, sent); err != nil {
			return err
		}
		n += len(sent)
		if o.Tell != nil {
			o.Tell(Progress{done, n, count.n})
		}
	}
	if err := w.Close(o.City.Start.Add(o.Last).UnixMilli()); err != nil {
		return err
	}
	if err := city.Err(); err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	return truth.write(out.Truth)
}

// inRecord is how many facilities stand in one record of the census.
const inRecord = 500

func writeCensus(w *tape.Writer, city *fleet.City, at int64) (n int, err error) {
	var fed []registry.Fed
	flush := func() error {
		text, err := registry.EncodeFed(fed)
		if err != nil {
			return err
		}
		fed, n = fed[:0], n+1
		return w.Write(&tape.Record{Type: devices.ItemCensus, Control: text, Uplink: devices.Uplink{Received: at}})
	}
	for _, f := range city.Census() {
		fed = append(fed, registry.Fed{Facility: registry.Facility{ID: devices.FacilityID(f.ID), Device: devices.DeviceID(f.ID), Kind: f.Kind, Component: f.Component, Name: f.Name,
			Lon: f.Lon, Lat: f.Lat, HasPlace: true, Area: f.Area, Cabinet: f.Cabinet, Circuit: f.Circuit, Vendor: f.Vendor, Model: f.Model, ExpectS: f.ExpectS,
			InCharge: f.InCharge, Owner: f.Owner, Maintainer: f.Maintainer, Installed: f.Installed, Supply: f.Supply, Limits: f.Limits}})
		if len(fed) == inRecord {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, flush()
}

func writeSent(w *tape.Writer, sent []fleet.Publish) error {
	for i := range sent {
		p := &sent[i]
		// Not Retain: that a broker keeps a message is no matter of who hears it live.
		r := tape.Record{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: devices.DeviceID(p.Device), Topic: p.Topic, Payload: p.Payload, Received: p.At, Flags: devices.FlagQoS1}}
		if err := w.Write(&r); err != nil {
			return err
		}
	}
	return nil
}

// counter counts the bytes that are written.
type counter struct {
	out io.Writer
	n   int64
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.out.Write(b)
	c.n += int64(n)
	return n, err
}
