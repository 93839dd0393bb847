package config

import (
	"os"
	"path/filepath"
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
	if c.Log.Partitions != 5 || c.Log.MaxAge != 2*time.Hour || len(c.MQTT.Brokers) != 2 || c.Store.InfluxDB.URL != "http://i" {
		t.Errorf("got %+v", c)
	}
}
