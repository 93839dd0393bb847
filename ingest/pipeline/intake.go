// Package pipeline moves uplinks from the sources into the log ([Intake]) and
// batches from the log to those who consume them ([Follow]). It decides which
// partition a device belongs to and nothing else.
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

// Appender is the log, as the intake sees it.
type Appender interface {
	Partitions() int
	Append(ctx context.Context, partition int, r *uplog.Record, a devices.Acker) error
}

// Intake hands uplinks to the log. It is safe for concurrent use.
type Intake struct {
	log    Appender
	census Census
	enroll Enroller // nil: unknown devices are marked unknown
}

// NewIntake returns an intake; with an enroller, unknown devices are enrolled.
func NewIntake(log Appender, c Census, e Enroller) *Intake {
	return &Intake{log: log, census: c, enroll: e}
}

// PartitionOf is the partition of a key: the same key, the same partition, as
// long as their number stays.
func PartitionOf(key string, n int) int { return int(xxhash.Sum64String(key) % uint64(n)) }

// Deliver appends u to the log and returns; a is told when it is durable. It
// blocks while the log cannot keep up, until ctx ends.
func (i *Intake) Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error {
	e, ok := i.census.Find(u.Device)
	if !ok {
		if i.enroll == nil {
			u.Flags |= devices.FlagUnknown
		} else if err := i.enroll.Enroll(ctx, u.Device); err != nil {
			return fmt.Errorf("enroll %s: %w", u.Device, err)
		}
		e.PartitionKey = string(u.Device)
	}
	return i.log.Append(ctx, PartitionOf(e.PartitionKey, i.log.Partitions()), &uplog.Record{Type: devices.ItemUplink, Uplink: *u}, a)
}
