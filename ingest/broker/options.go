package broker

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// Sink takes uplinks. Deliver blocks while there is no room, until ctx ends;
// it copies what it keeps. Acked is called exactly once unless it fails.
type Sink interface {
	Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error
}

// Authority knows the devices.
type Authority interface {
	Known(d devices.DeviceID) bool
	Adopted(d devices.DeviceID) bool // in the census, and not only provisionally
	IsGateway(gw, child devices.DeviceID) bool
	Verify(d devices.DeviceID, password []byte) bool
	Seen(d devices.DeviceID, source, reason string)
}

// Options say where to listen and what to allow. An empty address switches a
// transport off.
type Options struct {
	TCP           string
	TLS           string
	WS            string // WebSocket
	WSS           string // WebSocket on TLS
	CertFile      string // read again when it changes, like the three below
	KeyFile       string
	ClientCAFile  string // a client certificate signed by it logs in as its CN
	ClientCRLFile string // certificates that it lists are refused; "" = none

	Anonymous  bool   // devices that the census does not know need no password
	MaxPacket  uint32 // bytes of a PUBLISH; default 256 KiB
	MaxClients int64  // default 200,000
	PerDevice  int    // connections of one device; the oldest goes; default 32
	PerAddress int    // new connections a second from one address, after a burst of ten times that; default 2,000
	Rate       int    // messages a second of one connection, after a burst of ten times that; 0 = no limit
	InFlight   int    // messages of one connection that wait for their acknowledgement; default 256

	// connectWait is how long a connection may take to say CONNECT, with its TLS
	// handshake and its WebSocket upgrade; the keepalive counts afterwards.
	connectWait   time.Duration
	flushersCount int

	Sink      Sink
	Authority Authority
	// Notice tells a device that something was refused or held back; it must
	// not block, and says a thing at most once a minute. nil = nobody is told.
	Notice  func(d devices.DeviceID, r *devices.Refusal)
	Log     zerolog.Logger
	Metrics prometheus.Registerer
	Now     func() time.Time
}

func (o Options) withDefaults() Options {
	or(&o.MaxPacket, 256<<10)
	or(&o.MaxClients, 200_000)
	or(&o.PerDevice, 32)
	or(&o.PerAddress, 2000)
	or(&o.InFlight, 256)
	or(&o.connectWait, 10*time.Second)
	or(&o.flushersCount, 4)
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// or sets what is zero.
func or[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// topicAliases is how many a device of MQTT 5 may set.
const topicAliases = 16
