package broker

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/gorilla/websocket"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	last int64
}

func newCA(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), last: 1}
	a.key = a.newKey()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	a.cert = a.sign(tmpl, tmpl, a.key)
	a.write("ca.crt", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func (a *authority) sign(tmpl, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// file is the path of one of the authority's files.
func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) write(name, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(a.file(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// issue writes NAME.crt and NAME.key for a common name.
func (a *authority) issue(name, cn string, not time.Duration) tls.Certificate {
	a.t.Helper()
	key := a.newKey()
	a.last++
	c := a.sign(&x509.Certificate{SerialNumber: big.NewInt(a.last), Subject: pkix.Name{CommonName: cn}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(not), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a.cert, key)
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write(name+".key", "EC PRIVATE KEY", der)
	a.write(name+".crt", "CERTIFICATE", c.Raw)
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}
}

// revoke writes ca.crl with the certificates.
func (a *authority) revoke(certs ...tls.Certificate) {
	a.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, c := range certs {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	a.write("ca.crl", "X509 CRL", der)
}

func (a *authority) client(certs ...tls.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, ServerName: "localhost", Certificates: certs}
}

// publishOver connects with paho, publishes with QoS 1 and waits for the PUBACK.
func publishOver(url string, conf *tls.Config, user, password string) error {
	o := paho.NewClientOptions().AddBroker(url).SetTLSConfig(conf).SetUsername(user).SetPassword(password).SetClientID("c").SetConnectTimeout(30 * time.Second).SetAutoReconnect(false)
	c := paho.NewClient(o)
	defer c.Disconnect(0)
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return t.Error()
	}
	t := c.Publish("f/1/MH-1/telemetry", 1, false, "{}")
	if !t.WaitTimeout(30 * time.Second) {
		return errors.New("no PUBACK came")
	}
	return t.Error()
}

func TestClientCertificates(t *testing.T) {
	ca, other := newCA(t, "devices"), newCA(t, "another city")
	ca.issue("server", "localhost", time.Hour)
	revokedOne := ca.issue("revoked", "MH-1", time.Hour)
	ca.revoke(revokedOne)
	s, k, a := serve(t, Options{TLS: "127.0.0.1:0", WSS: "127.0.0.1:0", CertFile: ca.file("server.crt"), KeyFile: ca.file("server.key"), ClientCAFile: ca.file("ca.crt"), ClientCRLFile: ca.file("ca.crl")})
	for _, c := range []struct {
		name  string
		certs []tls.Certificate
		user  string
		pass  string
		ok    bool
		seen  string
	}{
		{"its CN logs it in", []tls.Certificate{ca.issue("a", "MH-1", time.Hour)}, "", "", true, ""},
		{"a password on TLS, without a certificate", nil, "MH-1", "secret-of-MH-1", true, ""},
		{"a wrong password on TLS", nil, "MH-1", "guess", false, "wrong password"},
		{"not in the census", []tls.Certificate{ca.issue("b", "X-9", time.Hour)}, "", "", false, "not in the census"},
		{"a CN that is no device id", []tls.Certificate{ca.issue("c", "a b", time.Hour)}, "", "", false, "the certificate's CN is no device id"},
		{"expired", []tls.Certificate{ca.issue("d", "MH-1", -time.Minute)}, "", "", false, ""},
		{"of another authority", []tls.Certificate{other.issue("e", "MH-1", time.Hour)}, "", "", false, ""},
		{"revoked", []tls.Certificate{revokedOne}, "", "", false, ""},
	} {
		for i, scheme := range []string{"ssl", "wss"} {
			t.Run(c.name+" "+scheme, func(t *testing.T) {
				conf := ca.client()
				if len(c.certs) > 0 { // also one that the server's list of authorities does not name
					conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.certs[0], nil }
				}
				err := publishOver(scheme+"://"+s.Addrs()[i].String(), conf, c.user, c.pass)
				if (err == nil) != c.ok {
					t.Fatalf("got %v", err)
				}
				if c.ok {
					if u := k.next(t); u.Device != "MH-1" {
						t.Errorf("taken as %s", u.Device)
					}
				}
				a.mu.Lock()
				defer a.mu.Unlock()
				found := c.seen == ""
				for _, why := range a.seen {
					found = found || why == c.seen
				}
				if !found {
					t.Errorf("seen %v, want %q", a.seen, c.seen)
				}
			})
		}
	}
}

func TestRenewedCertificatesAreUsedWithoutARestart(t *testing.T) {
	ca := newCA(t, "devices")
	first := ca.issue("server", "localhost", time.Hour)
	device := ca.issue("device", "MH-1", time.Hour)
	ca.revoke()
	s, _, _ := serve(t, Options{TLS: "127.0.0.1:0", CertFile: ca.file("server.crt"), KeyFile: ca.file("server.key"), ClientCAFile: ca.file("ca.crt"), ClientCRLFile: ca.file("ca.crl")})
	shown := func() []byte {
		c, err := tls.Dial("tcp", s.Addr().String(), ca.client())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Raw
	}
	if !bytes.Equal(shown(), first.Certificate[0]) {
		t.Fatal("another certificate from the start")
	}
	if err := os.WriteFile(ca.file("server.crt"), []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if !bytes.Equal(shown(), first.Certificate[0]) { // a broken file changes nothing
			t.Fatal("a broken file was used")
		}
	}
	second := ca.issue("server", "localhost", time.Hour)
	eventually(t, "the new certificate", func() bool { return bytes.Equal(shown(), second.Certificate[0]) })
	url := "ssl://" + s.Addr().String()
	if err := publishOver(url, ca.client(device), "", ""); err != nil {
		t.Fatal(err)
	}
	ca.revoke(device)
	eventually(t, "a refusal of the revoked device", func() bool { return publishOver(url, ca.client(device), "", "") != nil })
}

func TestWebSocket(t *testing.T) {
	s, k, _ := serve(t, Options{WS: "127.0.0.1:0"})
	addr := s.Addr().String()
	t.Run("paho publishes", func(t *testing.T) {
		for _, path := range []string{"", "/mqtt"} {
			if err := publishOver("ws://"+addr+path, nil, "MH-1", "secret-of-MH-1"); err != nil {
				t.Fatal(err)
			}
			if u := k.next(t); u.Device != "MH-1" {
				t.Errorf("got %+v", u)
			}
		}
	})
	dialer := websocket.Dialer{Subprotocols: []string{"mqtt"}}
	t.Run("a page of another site may not", func(t *testing.T) {
		c, r, err := dialer.Dial("ws://"+addr, http.Header{"Origin": {"https://elsewhere.example"}})
		if err == nil {
			c.Close()
			t.Fatal("was let in")
		}
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("status %d", r.StatusCode)
		}
	})
	t.Run("packets cut anywhere", func(t *testing.T) {
		c, _, err := dialer.Dial("ws://"+addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		all := append(connectPacket(4, "c", "MH-1", "secret-of-MH-1", 60), publishPacket(1, 1, "f/1/MH-1/telemetry", []byte("{}"))...)
		for i := range all {
			if err := c.WriteMessage(websocket.BinaryMessage, all[i:i+1]); err != nil {
				t.Fatal(err)
			}
		}
		k.next(t)
	})
	t.Run("text is refused", func(t *testing.T) {
		c, _, err := dialer.Dial("ws://"+addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.WriteMessage(websocket.TextMessage, connectPacket(4, "c", "MH-1", "secret-of-MH-1", 60)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); err == nil {
			t.Error("was answered")
		}
	})
	t.Run("who says nothing is cut off", func(t *testing.T) {
		s, _, _ := serve(t, Options{WS: "127.0.0.1:0", connectWait: 2 * time.Second})
		c, _, err := dialer.Dial("ws://"+s.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, _, err := c.ReadMessage(); err == nil || timedOut(err) {
			t.Errorf("after the upgrade: %v", err)
		}
		r := dial(t, s)
		r.send([]byte("GET / HTTP/1.1\r\n"))
		if _, _, err := r.next(); err == nil || timedOut(err) {
			t.Errorf("before the upgrade: %v", err)
		}
	})
}

func TestAHalfOpenTLSHandshakeIsCutOff(t *testing.T) {
	ca := newCA(t, "devices")
	ca.issue("server", "localhost", time.Hour)
	s, _, _ := serve(t, Options{TLS: "127.0.0.1:0", CertFile: ca.file("server.crt"), KeyFile: ca.file("server.key"), connectWait: 200 * time.Millisecond})
	r := dial(t, s)
	r.send([]byte{0x16, 3, 1})
	if _, _, err := r.next(); err == nil || timedOut(err) {
		t.Errorf("the connection stands: %v", err)
	}
}

func TestCertificateFilesThatDoNotFit(t *testing.T) {
	ca, other := newCA(t, "devices"), newCA(t, "another city")
	ca.issue("server", "localhost", time.Hour)
	other.revoke()
	good := Options{TLS: "127.0.0.1:0", CertFile: ca.file("server.crt"), KeyFile: ca.file("server.key"), ClientCAFile: ca.file("ca.crt")}
	for name, change := range map[string]func(*Options){
		"no certificate":                   func(o *Options) { o.CertFile = ca.file("none") },
		"the key of another":               func(o *Options) { other.issue("x", "x", time.Hour); o.KeyFile = other.file("x.key") },
		"a key for an authority":           func(o *Options) { o.ClientCAFile = ca.file("server.key") },
		"a certificate for revocations":    func(o *Options) { o.ClientCRLFile = ca.file("ca.crt") },
		"revocations of another authority": func(o *Options) { o.ClientCRLFile = other.file("ca.crl") },
		"an address that is used":          func(o *Options) { o.TLS = "256.0.0.1:1" },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			if s, err := New(o); err == nil {
				t.Errorf("was taken: %v", s.Stop())
			}
		})
	}
}
