package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, text string, env ...string) (Config, error) {
	t.Helper()
	p := filepath.Join(t.TempDir(), "lamplighter.yml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(p, env)
}

func TestMistakesAreAnsweredWithTheCure(t *testing.T) {
	for _, c := range []struct{ name, in, env, want string }{
		{"unknown key", "devces:\n  anonymous: true\n", "", "line 1: field devces not found"},
		{"wrong type", "log:\n  partitions: many\n", "", "line 2: cannot unmarshal"},
		{"no such zone", "zone: Fujian\n", "", "want a name such as Asia/Shanghai"},
		{"partitions", "log: {partitions: 0}\n", "", "log.partitions: 0; want 1 to 64"},
		{"half a certificate", "listener: {cert_file: a.pem}\n", "", "cert_file and key_file belong together"},
		{"TLS without certificate", "listener: {tls: ':8883'}\n", "", "needs cert_file and key_file"},
		{"broker without scheme", "mqtt: {brokers: ['host']}\n", "", "want tcp://host:1883"},
		{"broker with a password in it", "mqtt: {brokers: ['tcp://u:geheim@host:1883']}\n", "", "use user and password_file"},
		{"broker with a key that is none", "mqtt:\n  brokers:\n    - url: tcp://h:1883\n      filter: [a]\n", "", "line 4: mqtt.brokers: no key filter; want url, filters"},
		{"brokers that are no list", "mqtt: {brokers: {url: a}}\n", "", "line 1: mqtt.brokers: want a list"},
		{"filters and shards", "mqtt: {brokers: [{url: 'tcp://h:1', filters: [a], shards: [[b]]}]}\n", "", "mqtt.brokers[0]: filters and shards exclude each other"},
		{"a shard without filter", "mqtt: {brokers: [{url: 'tcp://h:1', shards: [[b], []]}]}\n", "", "mqtt.brokers[0].shards: one has no filter"},
		{"a filter in two shards", "mqtt: {brokers: [{url: 'tcp://h:1', shards: [[b], [b]]}]}\n", "", "stands in lamplighter-1 and lamplighter-2"},
		{"no filter", "mqtt: {brokers: ['tcp://h:1'], filters: []}\n", "", "mqtt.brokers[0].filters: none; want some"},
		{"shared subscription", "mqtt: {brokers: ['tcp://h:1'], filters: ['$share/g/f/1/#']}\n", "", "want shards"},
		{"# in the middle", "mqtt: {brokers: ['tcp://h:1'], filters: ['f/#/a']}\n", "", "alone and last"},
		{"+ in a word", "mqtt: {brokers: ['tcp://h:1'], filters: ['f/a+/b']}\n", "", "one whole level"},
		{"one session twice", "mqtt: {brokers: ['tcp://h:1', 'tcp://h:1']}\n", "", "mqtt.brokers[1]: the client id \"lamplighter\" is used twice at tcp://h:1"},
		{"half a certificate for a broker", "mqtt: {brokers: [{url: 'ssl://h:1', cert_file: a}]}\n", "", "mqtt.brokers[0]: cert_file and key_file belong together"},
		{"certificates without TLS", "mqtt: {brokers: [{url: 'tcp://h:1', ca_file: a}]}\n", "", "want ssl:// or wss://"},
		{"no client id", "mqtt: {brokers: ['tcp://h:1'], client_id: ''}\n", "", "mqtt.brokers[0].client_id: empty"},
		{"listener address", "listener: {tcp: '1883'}\n", "", "listener.tcp: \"1883\"; want an address such as"},
		{"one address twice", "listener: {tcp: ':1883', ws: ':1883'}\n", "", "listener.ws: \":1883\" is the address of listener.tcp too"},
		{"revocations without authority", "listener: {client_crl_file: a}\n", "", "needs client_ca_file"},
		{"a limit of nothing", "listener: {in_flight_per_connection: 0}\n", "", "listener.in_flight_per_connection: 0; want 1 to 65535"},
		{"packets too small for a batch", "listener: {max_packet: 1000}\n", "", "listener.max_packet: 1000; want 16384 to 16777216"},
		{"database", "database: mysql://root:geheim@h/d\n", "", "want postgres://"},
		{"environment typo", "", "LAMPLIGHTER_LOG_PARTITION=3", "LAMPLIGHTER_LOG_PARTITION names no key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t, c.in, c.env)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	c, err := load(t, "log: {partitions: 3}\n", "LAMPLIGHTER_LOG_PARTITIONS=5", "LAMPLIGHTER_LOG_MAX_AGE=2h",
		"LAMPLIGHTER_MQTT_BROKERS=tcp://a:1,tcp://b:2", "LAMPLIGHTER_STORE_INFLUXDB_URL=http://i", "LAMPLIGHTER_STORE_INFLUXDB_BUCKET=b", "PATH=/bin")
	if err != nil {
		t.Fatal(err)
	}
	if c.Log.Partitions != 5 || c.Log.MaxAge != 2*time.Hour || len(c.MQTT.Brokers) != 2 || c.MQTT.Brokers[1].URL != "tcp://b:2" || c.Store.InfluxDB.URL != "http://i" {
		t.Errorf("got %+v", c)
	}
}

func TestABrokerIsAnAddressOrAMapping(t *testing.T) {
	c, err := load(t, `mqtt:
  user: city
  password_file: /p
  brokers:
    - tcp://a:1883
    - url: ssl://b:8883
      client_id: second
      user: other
      ca_file: /ca
      watch_dropped: false
      shards: [["f/1/A/#", "f/1/B/#"], ["f/1/C/#"]]
`)
	if err != nil {
		t.Fatal(err)
	}
	a, b := c.MQTT.Brokers[0], c.MQTT.Brokers[1]
	if want := (Broker{URL: "tcp://a:1883", Filters: []string{"f/1/+/#"}, ClientID: "lamplighter", User: "city", PasswordFile: "/p"}); !reflect.DeepEqual(a, want) {
		t.Errorf("got %+v, want %+v", a, want)
	}
	if !a.Watched() || b.Watched() || b.User != "other" || b.PasswordFile != "" {
		t.Errorf("got %+v and %+v", a, b)
	}
	want := []Session{{"second-1", []string{"f/1/A/#", "f/1/B/#"}}, {"second-2", []string{"f/1/C/#"}}}
	if got := b.Sessions(); !reflect.DeepEqual(got, want) {
		t.Errorf("sessions %+v, want %+v", got, want)
	}
}
