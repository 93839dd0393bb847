package config

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// HTTP is the board and the API.
type HTTP struct {
	Address  string   `yaml:"address"`
	CertFile string   `yaml:"cert_file"`
	KeyFile  string   `yaml:"key_file"`
	Proxies  []string `yaml:"trusted_proxies"` // addresses or networks whose X-Forwarded-For is believed
	Rate     float64  `yaml:"rate_per_second"` // requests of one caller to the API
}

func (h *HTTP) check() error {
	if (h.CertFile == "") != (h.KeyFile == "") {
		return errors.New("http: cert_file and key_file belong together; one of them is missing")
	}
	for i, p := range h.Proxies {
		if _, err := netip.ParsePrefix(p); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(p); err != nil {
			return fmt.Errorf("http.trusted_proxies[%d]: %q; want an address such as 10.0.0.1 or a network such as 10.0.0.0/8", i, p)
		}
	}
	if h.Rate <= 0 {
		return fmt.Errorf("http.rate_per_second: %g; want more than 0", h.Rate)
	}
	return nil
}

// Quarantine bounds what is kept of refused messages.
type Quarantine struct {
	MaxAge   time.Duration `yaml:"max_age"`
	MaxBytes int64         `yaml:"max_bytes"` // of payloads
}

func (q *Quarantine) check() error {
	if q.MaxAge <= 0 || q.MaxBytes <= 0 {
		return fmt.Errorf("quarantine: max_age %s and max_bytes %d; want more than 0", q.MaxAge, q.MaxBytes)
	}
	return nil
}
