package broker

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// lookEvery is how often files of certificates are looked at for a change.
const lookEvery = time.Second

// keyring is the listener's certificate, the authorities that it trusts for
// devices, and what they have revoked. Renewed files are used without a
// restart; broken ones are reported, and the last good ones stay in use.
type keyring struct {
	opt *Options
	log zerolog.Logger

	mu     sync.Mutex
	conf   *tls.Config // guarded by mu
	stamp  string      // guarded by mu: sizes and times of the files it was made of
	looked time.Time   // guarded by mu
}

func newKeyring(o *Options) (*keyring, error) {
	k := &keyring{opt: o, log: o.Log}
	var err error
	k.stamp = k.stamps()
	k.conf, err = k.load()
	return k, err
}

// config is what a TLS listener uses.
func (k *keyring) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return k.current(), nil
	}}
}

func (k *keyring) current() *tls.Config {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if now.Sub(k.looked) < lookEvery {
		return k.conf
	}
	k.looked = now
	stamp := k.stamps()
	if stamp == k.stamp {
		return k.conf
	}
	k.stamp = stamp
	conf, err := k.load()
	if err != nil {
		k.log.Error().Err(err).Msg("renewed certificates cannot be used; the old ones stay in use")
		return k.conf
	}
	k.log.Info().Msg("renewed certificates are in use")
	k.conf = conf
	return k.conf
}

// stamps changes when one of the files does.
func (k *keyring) stamps() string {
	s := ""
	for _, f := range []string{k.opt.CertFile, k.opt.KeyFile, k.opt.ClientCAFile, k.opt.ClientCRLFile} {
		if i, err := os.Stat(f); err == nil {
			s += fmt.Sprint(i.Size(), i.ModTime().UnixNano(), " ")
		} else {
			s += "- "
		}
	}
	return s
}

func (k *keyring) load() (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(k.opt.CertFile, k.opt.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate of the listener: %w", err)
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	if k.opt.ClientCAFile == "" {
		return conf, nil
	}
	cas, err := certificates(k.opt.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("client CA: %w", err)
	}
	conf.ClientCAs = x509.NewCertPool()
	for _, c := range cas {
		conf.ClientCAs.AddCert(c)
	}
	conf.ClientAuth = tls.VerifyClientCertIfGiven
	if k.opt.ClientCRLFile != "" {
		revoked, err := revocations(k.opt.ClientCRLFile, cas)
		if err != nil {
			return nil, fmt.Errorf("client CRL: %w", err)
		}
		conf.VerifyConnection = revoked.check // also on resumed sessions
	}
	return conf, nil
}

func certificates(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: no certificate in it; want PEM: %w", file, devices.ErrInvalid)
	}
	return out, nil
}

// revoked is a set of issuer and serial number.
type revoked map[string]struct{}

func revocations(file string, cas []*x509.Certificate) (revoked, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	out := make(revoked)
	for n := 0; ; n++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			if n == 0 {
				return nil, fmt.Errorf("%s: no revocation list in it; want PEM: %w", file, devices.ErrInvalid)
			}
			return out, nil
		}
		l, err := x509.ParseRevocationList(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if !signedByOne(l, cas) {
			return nil, fmt.Errorf("%s: the list of %s is signed by none of the client CAs: %w", file, l.Issuer, devices.ErrInvalid)
		}
		for _, e := range l.RevokedCertificateEntries {
			out[string(l.RawIssuer)+e.SerialNumber.String()] = struct{}{}
		}
	}
}

func signedByOne(l *x509.RevocationList, cas []*x509.Certificate) bool {
	for _, c := range cas {
		if l.CheckSignatureFrom(c) == nil {
			return true
		}
	}
	return false
}

var errRevoked = errors.New("the client certificate is revoked")

// check is called after the chains were verified.
func (r revoked) check(cs tls.ConnectionState) error {
	for _, chain := range cs.VerifiedChains {
		for _, c := range chain {
			if _, ok := r[string(c.RawIssuer)+c.SerialNumber.String()]; ok {
				return errRevoked
			}
		}
	}
	return nil
}
