package uplog

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Options say where the log lies and how large it may grow.
type Options struct {
	Dir          string        // of the embedded server; one daemon per folder
	URLs         []string      // of a NATS cluster to use instead, "nats://host:4222"
	Replicas     int           // default 1 embedded, 3 in a cluster
	Partitions   int           // fixed by the first start; 0 = what is there, else 2
	MaxBytes     int64         // of all partitions together; default 8 GiB
	MaxAge       time.Duration // older frames go, consumed or not; default 72 h
	ReserveBytes int64         // below this much free disk the log counts as full; default 64 MiB
	Log          zerolog.Logger
	Metrics      prometheus.Registerer // nil = a private registry
	Now          func() time.Time      // default time.Now

	gap  time.Duration // between the beginnings of two frames of a partition, unless one is full; default 20 ms
	lull time.Duration // without a record, after which a frame does not wait for more; default 2 ms
}

func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" && len(o.URLs) == 0 {
		return o, errors.New("open the log: neither a folder nor the address of a cluster is given")
	}
	if o.Partitions < 0 || o.Partitions > maxPartitions {
		return o, fmt.Errorf("open the log: %d partitions, want 1 to %d", o.Partitions, maxPartitions)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 8 << 30
	}
	if o.MaxAge == 0 {
		o.MaxAge = 72 * time.Hour
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 64 << 20
	}
	if o.Replicas == 0 {
		o.Replicas = 1
		if len(o.URLs) > 0 {
			o.Replicas = 3
		}
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.gap == 0 {
		o.gap = 20 * time.Millisecond
	}
	if o.lull == 0 {
		o.lull = 2 * time.Millisecond
	}
	return o, nil
}

const (
	maxPartitions     = 256
	defaultPartitions = 2
)
