package pipeline

import (
	"context"
	"fmt"

	"github.com/cespare/xxhash/v2"

	"lamplighter/devices"
	"lamplighter/devices/registry"
	"lamplighter/ingest/uplog"
)

// Census is what the intake asks about a device.
type Census interface {
	Find(d devices.DeviceID) (registry.Entry, bool)
}

// Enroller takes an unknown device into the census provisionally.
type Enroller interface {
	Enroll(ctx context.Context, d devices.DeviceID) error
}

// Intake hands uplinks to the log. It is safe for concurrent use.
type Intake struct {
	log    *uplog.Log // not an interface, so that Deliver's Record stays on the stack
	census Census
	enroll Enroller // nil: unknown devices are marked unknown
}

// NewIntake returns an intake; with an enroller, unknown devices are enrolled.
func NewIntake(log *uplog.Log, c Census, e Enroller) *Intake {
	return &Intake{log: log, census: c, enroll: e}
}

// PartitionOf is the partition of a key: the same key, the same partition, as
// long as their number stays.
func PartitionOf(key string, n int) int { return int(xxhash.Sum64String(key) % uint64(n)) }

// Deliver appends u to the log and returns; a is told when it is durable. It
// blocks while the log cannot keep up, until ctx ends.
func (i *Intake) Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error {
	r := uplog.Record{Type: devices.ItemUplink, Uplink: *u}
	e, ok := i.census.Find(u.Device)
	if !ok {
		if i.enroll == nil {
			r.Uplink.Flags |= devices.FlagUnknown
		} else if err := i.enroll.Enroll(ctx, u.Device); err != nil {
			return fmt.Errorf("enroll %s: %w", u.Device, err)
		}
		e.PartitionKey = string(u.Device)
	}
	return i.log.Append(ctx, PartitionOf(e.PartitionKey, i.log.Partitions()), &r, a)
}
