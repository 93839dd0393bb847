package dashboards

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify writes a certificate for 127.0.0.1 with the given serial number.
func certify(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "board"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "https.crt"), filepath.Join(dir, "https.key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: k}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(serial) * time.Second) // a file system may count in seconds
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestHTTPSTakesARenewedCertificateAndSurvivesABrokenOne(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := certify(t, dir, 1)
	w := newWorld(t, sqlite(t), func(o *Options) { o.CertFile, o.KeyFile = certFile, keyFile })
	serial := func() int64 {
		c, err := tls.Dial("tcp", w.server.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	becomes := func(want int64) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); serial() != want; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("certificate %d, want %d", serial(), want)
			}
		}
	}
	becomes(1)
	certify(t, dir, 2)
	becomes(2)
	if err := os.WriteFile(certFile, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	becomes(2)
	certify(t, dir, 3)
	becomes(3)
}

func TestTheCookieIsSecureOverTLS(t *testing.T) {
	w := newWorld(t, sqlite(t), func(o *Options) { o.Proxies = []string{"127.0.0.1"} })
	if err := w.auth.AddUser(t.Context(), "chen", "viewer", adminPassword); err != nil {
		t.Fatal(err)
	}
	a := w.send("POST", "/api/v1/session", `{"user":"chen","password":"`+adminPassword+`"}`, func(q *http.Request) { q.Header.Set("X-Forwarded-Proto", "https") })
	if cs := (&http.Response{Header: a.header}).Cookies(); len(cs) != 1 || !cs[0].Secure {
		t.Errorf("cookies %v", cs)
	}
}
