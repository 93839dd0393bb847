package codec

import (
	"time"
)

// The limits of PROTOCOL version 1.
const (
	MaxPayload  = 16 << 10 // bytes
	MaxReadings = 500
	MaxText     = 64 // bytes of an enumeration value
	MaxBoot     = 32 // bytes of a boot id
	MaxName     = 64 // bytes of a channel name
)

// Options bound the times that are believed.
type Options struct {
	MaxPast   time.Duration // the oldest device time; default 5 years, the store's retention
	MaxFuture time.Duration // how far a device's clock may run ahead; default 5 minutes
}

func (o Options) withDefaults() Options {
	if o.MaxPast == 0 {
		o.MaxPast = 5 * 365 * 24 * time.Hour
	}
	if o.MaxFuture == 0 {
		o.MaxFuture = 5 * time.Minute
	}
	return o
}
