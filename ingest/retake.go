package main

import (
	"context"
	"fmt"

	"lamplighter/devices"
	"lamplighter/devices/codec"
)

// retaker reads refused messages again with today's codec and census, and takes
// them back in.
type retaker struct{ app *app }

// Try decodes u as it would be decoded if it came now, but for its receive time.
func (r retaker) Try(u *devices.Uplink, m *devices.Message) *devices.Refusal {
	try := r.today(u)
	if !r.app.conf.Devices.Anonymous && !r.app.census.Known(try.Device) {
		try.Flags |= devices.FlagUnknown
	}
	return codec.New(r.app.dict, codec.Options{MaxPast: r.app.conf.Store.Retention}).Decode(&try, m)
}

// Retake puts u into the log, marked, and returns when it is durable there.
func (r retaker) Retake(ctx context.Context, u *devices.Uplink) error {
	again := r.today(u)
	again.Flags |= devices.FlagRetaken
	done := make(durable, 1)
	if err := r.app.intake.Deliver(ctx, &again, done); err != nil {
		return fmt.Errorf("take %s's message back in: %w", u.Device, err)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// today is u as its source would hand it on now: a gateway speaks for the
// devices that the census lists under it.
func (r retaker) today(u *devices.Uplink) devices.Uplink {
	now := *u
	if t, ok := devices.ParseTopic(u.Topic); ok && t.Gateway == u.Device && r.app.census.IsGateway(t.Gateway, t.Device) {
		now.Device = t.Device
	}
	return now
}

// durable hears when one record is on disk.
type durable chan error

// Acked implements devices.Acker: there is room, for it is called once.
func (d durable) Acked(_ uint16, err error) { d <- err }
