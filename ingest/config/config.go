// Package config reads the daemon's configuration: one strict YAML file whose
// every key can also be set in the environment (LAMPLIGHTER_STORE_RETENTION for
// store.retention). It is read once by main and handed on in small pieces; no
// other package imports it.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Config is the whole configuration with its defaults filled in.
type Config struct {
	Zone       string        `yaml:"zone"`     // the city's time zone: decides what a day is
	Database   string        `yaml:"database"` // "" = SQLite in the data folder, or postgres://…
	Listener   Listener      `yaml:"listener"`
	HTTP       HTTP          `yaml:"http"`
	Devices    Devices       `yaml:"devices"`
	Census     Census        `yaml:"census"`
	MQTT       MQTT          `yaml:"mqtt"`
	Log        Log           `yaml:"log"`
	Store      Store         `yaml:"store"`
	Rules      Rules         `yaml:"rules"`
	Lighting   Lighting      `yaml:"lighting"`
	Quarantine Quarantine    `yaml:"quarantine"`
	Pager      []PagerTarget `yaml:"pager"`
}

// Listener is our own MQTT listener. An empty address switches a transport off.
type Listener struct {
	TCP       string `yaml:"tcp"`
	TLS       string `yaml:"tls"`
	WS        string `yaml:"ws"`
	WSS       string `yaml:"wss"`
	CertFile  string `yaml:"cert_file"`
	KeyFile   string `yaml:"key_file"`
	ClientCA  string `yaml:"client_ca_file"`  // certificates signed by it log in with CN = device id
	ClientCRL string `yaml:"client_crl_file"` // certificates that it lists may not

	MaxPacket      int `yaml:"max_packet"`               // bytes of a message
	MaxConnections int `yaml:"max_connections"`          // in all
	PerDevice      int `yaml:"connections_per_device"`   // the oldest goes
	PerAddress     int `yaml:"connects_per_second"`      // from one address, after a burst of ten times that
	Rate           int `yaml:"messages_per_second"`      // of one connection, after a burst of ten times that; 0 = no limit
	InFlight       int `yaml:"in_flight_per_connection"` // messages that wait for their acknowledgement
}

// Devices says who may connect.
type Devices struct {
	Anonymous bool `yaml:"anonymous"` // take devices that the census does not know, without a password
}

// Census says where facilities can be.
type Census struct {
	Bounds []float64 `yaml:"bounds"` // west, south, east, north in degrees; none = China
}

func (c *Census) check() error {
	b := c.Bounds
	if len(b) == 0 || len(b) == 4 && b[0] >= -180 && b[0] < b[2] && b[2] <= 180 && b[1] >= -90 && b[1] < b[3] && b[3] <= 90 {
		return nil
	}
	return fmt.Errorf("census.bounds: %v; want [west, south, east, north] in degrees, such as [118.3, 25.2, 120.7, 26.7]", b)
}

// Secret is a secret that stands in a file of its own.
type Secret struct {
	File string `yaml:"password_file"`
}

// Log is the durable log.
type Log struct {
	NATS       []string      `yaml:"nats"` // "" = embedded
	Partitions int           `yaml:"partitions"`
	MaxBytes   int64         `yaml:"max_bytes"`
	MaxAge     time.Duration `yaml:"max_age"`
}

// Store is where readings are kept.
type Store struct {
	Retention time.Duration `yaml:"retention"`
	MemoryMB  int           `yaml:"memory_mb"` // of the embedded store
	InfluxDB  *InfluxDB     `yaml:"influxdb"`
	PromQL    string        `yaml:"promql"` // address of a PromQL store to read from instead of the embedded one
}

// InfluxDB is an InfluxDB 2 (or any v2-write store) to use instead of the
// embedded store.
type InfluxDB struct {
	URL       string `yaml:"url"`
	Org       string `yaml:"org"`
	Bucket    string `yaml:"bucket"`
	TokenFile string `yaml:"token_file"`
}

// Rules says which rule files judge.
type Rules struct {
	Files []string `yaml:"files"` // none = the built-in default rules
}

// Lighting says what the lighting rates are.
type Lighting struct {
	Definitions string `yaml:"definitions"` // a file; "" = the built-in definitions
}

// PagerTarget is one channel that pages go to.
type PagerTarget struct {
	Name        string   `yaml:"name"`
	URL         string   `yaml:"url"`
	SecretFile  string   `yaml:"secret_file"`
	MinSeverity string   `yaml:"min_severity"`
	Kinds       []string `yaml:"kinds"`
}

// Default is the configuration of a daemon that was given none.
func Default() Config {
	return Config{
		Zone:       "Asia/Shanghai",
		Listener:   Listener{TCP: ":1883", MaxPacket: 256 << 10, MaxConnections: 200_000, PerDevice: 32, PerAddress: 2000, Rate: 10_000, InFlight: 256},
		HTTP:       HTTP{Address: ":8080", Proxies: []string{}, Rate: 100},
		MQTT:       MQTT{Filters: []string{"f/1/+/#"}, ClientID: "lamplighter"},
		Log:        Log{Partitions: 2, MaxBytes: 8 << 30, MaxAge: 72 * time.Hour},
		Quarantine: Quarantine{MaxAge: 30 * 24 * time.Hour, MaxBytes: 256 << 20},
		Store:      Store{Retention: 5 * 365 * 24 * time.Hour, MemoryMB: 512},
	}
}

// Load reads the file (none if path is "") and then the environment, and
// checks the result. An error names the file, the line or variable, and the cure.
func Load(path string, environ []string) (Config, error) {
	c := Default()
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		if err := parse(b, &c); err != nil {
			return c, fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	if err := overlay(environ, &c); err != nil {
		return c, err
	}
	return c, c.check()
}

func parse(b []byte, c *Config) error {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// check finds what no type can: values that exclude each other or mean nothing.
func (c *Config) check() error {
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return fmt.Errorf("zone: %q is no time zone; want a name such as Asia/Shanghai", c.Zone)
	}
	if c.Log.Partitions < 1 || c.Log.Partitions > 64 {
		return fmt.Errorf("log.partitions: %d; want 1 to 64", c.Log.Partitions)
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "sqlite://") {
		return fmt.Errorf("database: %q; want postgres://user@host/name or nothing for the embedded database", redact(c.Database))
	}
	if err := c.Listener.check(); err != nil {
		return err
	}
	if err := c.Census.check(); err != nil {
		return err
	}
	if err := c.HTTP.check(); err != nil {
		return err
	}
	if err := c.Quarantine.check(); err != nil {
		return err
	}
	if err := c.MQTT.check(); err != nil {
		return err
	}
	if i := c.Store.InfluxDB; i != nil && (i.URL == "" || i.Bucket == "") {
		return errors.New("store.influxdb: url and bucket are needed")
	}
	for i, p := range c.Pager {
		if p.Name == "" || p.URL == "" {
			return fmt.Errorf("pager[%d]: name and url are needed", i)
		}
	}
	return nil
}

func redact(s string) string {
	if u, err := url.Parse(s); err == nil {
		return u.Redacted()
	}
	return s
}
