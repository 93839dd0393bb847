package config

import (
	"errors"
	"fmt"
	"net"
)

// check finds addresses and limits that mean nothing, and files that are
// missing beside others.
func (l *Listener) check() error {
	seen := make(map[string]string)
	for _, a := range []struct{ key, addr string }{{"tcp", l.TCP}, {"tls", l.TLS}, {"ws", l.WS}, {"wss", l.WSS}} {
		if a.addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(a.addr)
		if err != nil {
			return fmt.Errorf("listener.%s: %q; want an address such as \":1883\" or \"10.0.0.1:1883\"", a.key, a.addr)
		}
		if other, ok := seen[a.addr]; ok && port != "0" {
			return fmt.Errorf("listener.%s: %q is the address of listener.%s too; each transport needs one of its own", a.key, a.addr, other)
		}
		seen[a.addr] = a.key
	}
	if (l.CertFile == "") != (l.KeyFile == "") {
		return errors.New("listener: cert_file and key_file belong together; one of them is missing")
	}
	if l.CertFile == "" && l.TLS+l.WSS != "" {
		return errors.New("listener.tls or wss: it needs cert_file and key_file")
	}
	if l.ClientCRL != "" && l.ClientCA == "" {
		return errors.New("listener.client_crl_file: needs client_ca_file, which has signed it")
	}
	return l.checkLimits()
}

func (l *Listener) checkLimits() error {
	for _, n := range []struct {
		key           string
		val, min, max int
	}{
		{"max_packet", l.MaxPacket, 16 << 10, 16 << 20},
		{"max_connections", l.MaxConnections, 1, 10_000_000},
		{"connections_per_device", l.PerDevice, 1, 100_000},
		{"connects_per_second", l.PerAddress, 1, 1_000_000},
		{"messages_per_second", l.Rate, 0, 1_000_000},
		{"in_flight_per_connection", l.InFlight, 1, 65535},
	} {
		if n.val < n.min || n.val > n.max {
			return fmt.Errorf("listener.%s: %d; want %d to %d", n.key, n.val, n.min, n.max)
		}
	}
	return nil
}
