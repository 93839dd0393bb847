package dashboards

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// certificate is a certificate that is read again when its files have changed.
type certificate struct {
	certFile, keyFile string
	log               zerolog.Logger

	mu      sync.Mutex
	cert    *tls.Certificate // guarded by mu
	stamp   [2]time.Time     // guarded by mu: of the files that cert was read from
	checked time.Time        // guarded by mu
}

// certCheck is how often the files are looked at.
const certCheck = time.Second

func newCertificate(certFile, keyFile string, log zerolog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate for HTTPS: %w", err)
	}
	c.cert, c.stamp = &cert, c.stamps()
	return c, nil
}

func (c *certificate) stamps() (t [2]time.Time) {
	for i, f := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(f); err == nil {
			t[i] = info.ModTime()
		}
	}
	return t
}

// get is the certificate of a handshake. A renewed one that cannot be read is
// reported, and the old one goes on.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < certCheck {
		return c.cert, nil
	}
	c.checked = time.Now()
	now := c.stamps()
	if now == c.stamp {
		return c.cert, nil
	}
	cert, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.log.Error().Err(err).Msg("the renewed certificate for HTTPS cannot be used; the old one goes on")
		return c.cert, nil
	}
	c.cert, c.stamp = &cert, now
	c.log.Info().Str("file", c.certFile).Msg("HTTPS goes on with the renewed certificate")
	return c.cert, nil
}
