package mqtt

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Link tells whether what devices publish reaches us through the session. When
// it does not, since is when anything last came and why says what is wrong. It
// is stricter than [Client.Health], and quicker: who is heard through a session
// must not be called silent because the session is.
func (c *Client) Link() (up bool, since time.Time, why string) {
	now := time.Now()
	c.mu.Lock()
	up, since, why = c.up, c.since, c.why
	no := slices.Sorted(maps.Keys(c.refused))
	if up && len(no) > 0 {
		up, why = false, fmt.Sprintf("no messages of %s: %s", no[0], c.refused[no[0]])
	}
	c.mu.Unlock()
	if out, came := c.missing(now); up && came && out > c.opt.timing.probeEvery && !c.owing(now) {
		up, since, why = false, now, c.late(out, now)
	}
	if came := c.came.Load(); !up && came > 0 { // a connection may have been dead for so long before it was noticed
		since = time.UnixMilli(min(since.UnixMilli(), max(came, since.Add(-c.opt.timing.silence).UnixMilli())))
	}
	return up, since, why
}

// Broker is the host and port of the session's broker, which stand as Source in
// its uplinks.
func (c *Client) Broker() string { return c.broker }
