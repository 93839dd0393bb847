package broker

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"lamplighter/devices"
)

// crowd is who is connected.
type crowd struct {
	perDevice int // connections

	mu       sync.Mutex
	byID     map[string]*session             // guarded by mu
	byDevice map[devices.DeviceID][]*session // guarded by mu: oldest first; without the anonymous
}

func newCrowd(perDevice int) *crowd {
	return &crowd{perDevice: perDevice, byID: make(map[string]*session), byDevice: make(map[devices.DeviceID][]*session)}
}

// enter takes a session in. It ends the one that has the same client id and
// waits until nothing is left of it [MQTT-3.1.4-3], so that the library never
// sees two at once. A device with too many connections loses its oldest: that
// is most often one that broke without a word.
func (c *crowd) enter(s *session) error {
	c.mu.Lock()
	old := c.byID[s.id]
	c.byID[s.id] = s
	var oldest *session
	if s.device != "" {
		all := append(c.byDevice[s.device], s)
		if len(all) > c.perDevice {
			oldest = all[0]
			all = slices.Delete(all, 0, 1)
		}
		c.byDevice[s.device] = all
	}
	c.mu.Unlock()
	if oldest != nil && oldest != old {
		oldest.end(fault{codeQuota, "too many connections of this device; the oldest is closed"})
	}
	if old == nil {
		return nil
	}
	old.end(fault{codeTakenOver, "another connection took over this client id"})
	// Also a session that has ended meanwhile waits: the one that took it over
	// waits for it alone, and would meet the old one in the library.
	<-old.link.done
	return s.link.ctx.Err()
}

// leave forgets a session.
func (c *crowd) leave(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID[s.id] == s {
		delete(c.byID, s.id)
	}
	all := c.byDevice[s.device]
	if i := slices.Index(all, s); i >= 0 {
		all = slices.Delete(all, i, i+1)
	}
	if len(all) == 0 {
		delete(c.byDevice, s.device)
	} else {
		c.byDevice[s.device] = all
	}
}

// here tells whether the device of a session that has left is connected.
func (c *crowd) here(s *session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byDevice[s.device]) > 0 || c.byID[s.id] != nil
}

// all is every session.
func (c *crowd) all() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.byID))
}

// count is the number of sessions.
func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byID)
}

// doors limits how many connections an address may open in a second, so that
// one broken gateway cannot keep the listener busy with handshakes.
type doors struct {
	limit rate.Limit
	burst int

	mu    sync.Mutex
	known map[netip.Addr]*rate.Limiter // guarded by mu
	swept time.Time                    // guarded by mu
}

func newDoors(perSecond, burst int) *doors {
	return &doors{limit: rate.Limit(perSecond), burst: burst, known: make(map[netip.Addr]*rate.Limiter)}
}

const maxDoors = 65536 // addresses

// open tells whether one more connection from a may come.
func (d *doors) open(a net.Addr, now time.Time) bool {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return true
	}
	ip, _ := netip.AddrFromSlice(t.IP)
	ip = ip.Unmap()
	if ip.Is6() {
		p, err := ip.Prefix(64) // one subscriber has a whole /64
		if err == nil {
			ip = p.Addr()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep(now)
	l := d.known[ip]
	if l == nil {
		l = rate.NewLimiter(d.limit, d.burst)
		d.known[ip] = l
	}
	return l.AllowN(now, 1)
}

// sweep forgets addresses that have been quiet. The caller holds mu.
func (d *doors) sweep(now time.Time) {
	if now.Sub(d.swept) < time.Minute && len(d.known) < maxDoors {
		return
	}
	d.swept = now
	for ip, l := range d.known {
		if l.TokensAt(now) >= float64(d.burst) {
			delete(d.known, ip)
		}
	}
	if len(d.known) >= maxDoors {
		clear(d.known)
	}
}
