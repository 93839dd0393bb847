package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lamplighter/devices/devicestest"
)

// authority signs certificates for 127.0.0.1 and keeps their files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes NAME.crt and NAME.key.
func (a *authority) issue(name string, tmpl *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	tmpl.SerialNumber, tmpl.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	tmpl.NotBefore, tmpl.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil { // the authority itself
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, b := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: k}} {
		if err := os.WriteFile(a.file(file), pem.EncodeToMemory(b), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// TestABrokerThatWantsACertificate reads from a mosquitto that lets in only who
// shows a certificate of its authority.
func TestABrokerThatWantsACertificate(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	ca.issue("broker", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	ours := func() *x509.Certificate {
		return &x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	}
	ca.issue("ours", ours())
	stranger.issue("ours", ours())
	m := newMosquitto(t, "persistence false", "cafile "+ca.file("ca.crt"), "certfile "+ca.file("broker.crt"), "keyfile "+ca.file("broker.key"), "require_certificate true")
	url := "ssl://127.0.0.1:" + m.port
	got := make(sink, 100)
	c, _ := run(t, Options{URL: url, CAFile: ca.file("ca.crt"), CertFile: ca.file("ours.crt"), KeyFile: ca.file("ours.key"), Sink: got, timing: quick})
	m.eventually("a canary came back", func() bool { _, came := c.missing(time.Now()); return came })
	out, err := exec.Command(devicestest.NeedBinary(t, "mosquitto_pub"), "-h", "127.0.0.1", "-p", m.port, "--cafile", ca.file("ca.crt"), "--cert", ca.file("ours.crt"), "--key", ca.file("ours.key"),
		"-q", "1", "-t", "f/1/MH-1/telemetry", "-m", `{"tilt_deg":1}`).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if u := next(t, got); u.Device != "MH-1" || string(u.Payload) != `{"tilt_deg":1}` {
		t.Errorf("got %+v", u)
	}
	for name, o := range map[string]Options{
		"no certificate":                        {CAFile: ca.file("ca.crt")},
		"a certificate of another authority":    {CAFile: ca.file("ca.crt"), CertFile: stranger.file("ours.crt"), KeyFile: stranger.file("ours.key")},
		"an authority that the broker has not":  {CAFile: stranger.file("ca.crt"), CertFile: ca.file("ours.crt"), KeyFile: ca.file("ours.key")},
		"the authorities of the system, not it": {CertFile: ca.file("ours.crt"), KeyFile: ca.file("ours.key")},
	} {
		t.Run(name, func(t *testing.T) {
			none := make(sink, 1)
			o.URL, o.ClientID, o.Sink, o.timing = url, "another", none, quick
			c, _ := run(t, o)
			m.eventually("health says why", func() bool { return c.Health() != "" })
			why := c.Health()
			if strings.HasPrefix(name, "a") && strings.Contains(name, "authority that") && !strings.Contains(why, "unknown authority") {
				t.Errorf("health says %q", why)
			}
			if len(none) > 0 || c.current(c.paho) {
				t.Error("it was let in")
			}
			t.Log(why)
		})
	}
}
