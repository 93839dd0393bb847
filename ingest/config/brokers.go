package config

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MQTT is what is read from other brokers. What a broker does not say for
// itself it has from here.
type MQTT struct {
	Brokers  Brokers  `yaml:"brokers"`
	Filters  []string `yaml:"filters"`
	ClientID string   `yaml:"client_id"`
	User     string   `yaml:"user"`
	Password Secret   `yaml:",inline"`
}

// Brokers is a list in which a broker is its address or a mapping. In the
// environment it is addresses with commas between them.
type Brokers []Broker

// Broker is one broker to read from.
type Broker struct {
	URL          string     `yaml:"url"`
	Filters      []string   `yaml:"filters"`
	Shards       [][]string `yaml:"shards"`    // instead of filters: one session for each list
	ClientID     string     `yaml:"client_id"` // with shards, -1, -2 … are added
	User         string     `yaml:"user"`
	PasswordFile string     `yaml:"password_file"`
	CAFile       string     `yaml:"ca_file"`
	CertFile     string     `yaml:"cert_file"`
	KeyFile      string     `yaml:"key_file"`
	CanaryTopic  string     `yaml:"canary_topic"`  // "" = one that the filters cover; "off" = no canary
	WatchDropped *bool      `yaml:"watch_dropped"` // nil = true
}

// UnmarshalYAML reads a list or one text.
func (b *Brokers) UnmarshalYAML(n *yaml.Node) error {
	*b = Brokers{}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return nil
		}
		for _, u := range strings.Split(n.Value, ",") {
			*b = append(*b, Broker{URL: strings.TrimSpace(u)})
		}
		return nil
	case yaml.SequenceNode:
		for _, e := range n.Content {
			var one Broker
			if err := one.read(e); err != nil {
				return err
			}
			*b = append(*b, one)
		}
		return nil
	}
	return fmt.Errorf("line %d: mqtt.brokers: want a list", n.Line)
}

func (b *Broker) read(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&b.URL)
	}
	// a node's Decode is not strict: look for unknown keys by hand
	var known []string
	for f := range reflect.TypeFor[Broker]().Fields() {
		known = append(known, f.Tag.Get("yaml"))
	}
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if k := n.Content[i]; !slices.Contains(known, k.Value) {
			return fmt.Errorf("line %d: mqtt.brokers: no key %s; want %s", k.Line, k.Value, strings.Join(known, ", "))
		}
	}
	return n.Decode(b)
}

// check fills in what a broker has from the whole section, and finds what
// means nothing.
func (m *MQTT) check() error {
	ids := make(map[string]int)
	for i := range m.Brokers {
		b := &m.Brokers[i]
		at := fmt.Sprintf("mqtt.brokers[%d]", i)
		m.inherit(b)
		if err := b.check(); err != nil {
			return fmt.Errorf("%s%w", at, err)
		}
		for _, s := range b.Sessions() {
			key := b.URL + " " + s.ClientID
			if j, ok := ids[key]; ok {
				return fmt.Errorf("%s: the client id %q is used twice at %s (first by mqtt.brokers[%d]); the two would throw each other out: give one another client_id", at, s.ClientID, redact(b.URL), j)
			}
			ids[key] = i
		}
	}
	return nil
}

func (m *MQTT) inherit(b *Broker) {
	if b.Filters == nil && b.Shards == nil {
		b.Filters = m.Filters
	}
	if b.ClientID == "" {
		b.ClientID = m.ClientID
	}
	if b.User == "" && b.PasswordFile == "" {
		b.User, b.PasswordFile = m.User, m.Password.File
	}
}

var schemes = []string{"tcp", "mqtt", "ssl", "tls", "mqtts", "ws", "wss"}

func (b *Broker) check() error {
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme):
		return fmt.Errorf(": %q; want tcp://host:1883, ssl://host:8883, ws://host:8083/mqtt or wss://…", redact(b.URL))
	case u.User != nil:
		return fmt.Errorf(": %q has a user or password in it; use user and password_file", redact(b.URL))
	case (b.CertFile == "") != (b.KeyFile == ""):
		return errors.New(": cert_file and key_file belong together; one of them is missing")
	case b.CAFile+b.CertFile != "" && (u.Scheme == "tcp" || u.Scheme == "mqtt" || u.Scheme == "ws"):
		return fmt.Errorf(".url: %q speaks no TLS, but there are certificates; want ssl:// or wss://", b.URL)
	case len(b.Filters) > 0 && len(b.Shards) > 0:
		return errors.New(": filters and shards exclude each other; a shard is a list of filters")
	case len(b.Filters)+len(b.Shards) == 0:
		return errors.New(`.filters: none; want some such as "f/1/+/#"`)
	case b.ClientID == "":
		return errors.New(".client_id: empty; the broker keeps our session by it")
	}
	return b.checkFilters()
}

func (b *Broker) checkFilters() error {
	owner := make(map[string]string)
	for _, s := range b.Sessions() {
		if len(s.Filters) == 0 {
			return errors.New(".shards: one has no filter")
		}
		for _, f := range s.Filters {
			if why := badFilter(f); why != "" {
				return fmt.Errorf(": filter %q: %s", f, why)
			}
			if other, ok := owner[f]; ok {
				return fmt.Errorf(": filter %q stands in %s and %s; its messages would come twice", f, other, s.ClientID)
			}
			owner[f] = s.ClientID
		}
	}
	return nil
}

// badFilter says what is wrong with a topic filter [MQTT-4.7.1].
func badFilter(f string) string {
	if strings.HasPrefix(f, "$share/") {
		return "a shared subscription loses the order of a device; want shards"
	}
	parts := strings.Split(f, "/")
	for i, p := range parts {
		switch {
		case f == "":
			return "is empty"
		case strings.Contains(p, "#") && (p != "#" || i < len(parts)-1):
			return "# stands for all the rest: alone and last"
		case strings.Contains(p, "+") && p != "+":
			return "+ stands for one whole level"
		}
	}
	return ""
}

// Session is one connection to a broker.
type Session struct {
	ClientID string
	Filters  []string
}

// Sessions are the connections to the broker: one, or one for each shard.
func (b *Broker) Sessions() []Session {
	if len(b.Shards) == 0 {
		return []Session{{b.ClientID, b.Filters}}
	}
	var out []Session
	for i, f := range b.Shards {
		out = append(out, Session{fmt.Sprintf("%s-%d", b.ClientID, i+1), f})
	}
	return out
}

// Watched tells whether the broker's count of dropped messages is watched.
func (b *Broker) Watched() bool { return b.WatchDropped == nil || *b.WatchDropped }
