package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// Sink takes uplinks: it copies what it keeps; see broker.Sink.
type Sink interface {
	Deliver(ctx context.Context, u *devices.Uplink, a devices.Acker) error
}

// Options of a Client.
type Options struct {
	URL          string // tcp://host:1883, ssl://host:8883, ws://host:8083/mqtt, wss://…
	Filters      []string
	ClientID     string // of this session alone, and the same for ever: the broker keeps the session by it
	User         string
	PasswordFile string // read again at every connect, like the three below
	CAFile       string // authorities for the broker's certificate; "" = the system's
	CertFile     string // our certificate, with KeyFile
	KeyFile      string
	CanaryTopic  string // "" = one that the first filter covers; "off" = no canary
	WatchDropped bool   // watch the broker's count of dropped messages: one session per broker does
	Sink         Sink
	Log          zerolog.Logger
	Metrics      *Metrics

	timing timing
}

// timing is how patient a client is; tests are less so.
type timing struct {
	probeEvery time.Duration // between two canaries
	probeLost  time.Duration // without one coming back until the session is rebuilt
	retry      time.Duration // between two attempts to connect or subscribe, at first
	retryMax   time.Duration
	silence    time.Duration // without a byte from the broker until the connection is dead; it is pinged after half of it
	suback     time.Duration // without an answer to SUBSCRIBE, nor a message, until it is asked again
	owing      time.Duration // without an acknowledgement until it is the log that is slow
	dropMemory time.Duration // how long a broker that dropped messages counts as in trouble
}

func (o Options) withDefaults() Options {
	if o.timing == (timing{}) {
		o.timing = timing{probeEvery: 10 * time.Second, probeLost: time.Minute, retry: time.Second, retryMax: 5 * time.Second, silence: 40 * time.Second, suback: 10 * time.Second, owing: 5 * time.Second, dropMemory: 2 * time.Minute}
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	if o.CanaryTopic == "" {
		o.CanaryTopic = canaryTopic(o.Filters, o.ClientID)
	}
	return o
}

// password reads the password.
func (o *Options) password() (string, error) {
	if o.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(o.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password for %s: %w", o.URL, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// tlsConfig is nil where the URL speaks no TLS.
func (o *Options) tlsConfig() (*tls.Config, error) {
	scheme, _, _ := strings.Cut(o.URL, "://")
	switch scheme {
	case "ssl", "tls", "mqtts", "mqtt+ssl", "tcps", "wss":
	default:
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("CA of %s: %w", o.URL, err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("CA of %s: %s has no certificate in it; want PEM: %w", o.URL, o.CAFile, devices.ErrInvalid)
		}
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("certificate for " + o.URL + ": certificate and key belong together")
	}
	if o.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("certificate for %s: %w", o.URL, err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}
