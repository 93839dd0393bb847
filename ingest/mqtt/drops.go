package mqtt

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// droppedTopic is where Mosquitto says how many messages it has dropped since
// its start, for any of its clients. EMQX and others have it not.
const droppedTopic = "$SYS/broker/publish/messages/dropped"

// drops is what the broker says it has dropped.
type drops struct {
	mu    sync.Mutex
	known bool      // guarded by mu
	count int64     // guarded by mu
	grew  int64     // guarded by mu: since it was last quiet
	last  time.Time // guarded by mu: when count last grew
}

func (c *Client) countDrops(payload []byte) {
	n, err := strconv.ParseInt(strings.TrimSpace(string(payload)), 10, 64)
	if err != nil {
		c.opt.Log.Debug().Err(err).Str("broker", c.Name()).Msg("count of dropped messages")
		return
	}
	c.opt.Metrics.dropped.WithLabelValues(c.broker).Set(float64(n))
	if more := c.drops.note(n, time.Now(), c.opt.timing.dropMemory); more > 0 {
		c.opt.Log.Warn().Str("broker", c.Name()).Int64("messages", more).Msg("the broker has dropped messages; raise its max_queued_messages")
	}
}

// note takes a new count and returns by how much it grew. The first only says
// where to count from; one that is smaller comes from a broker that started anew.
func (d *drops) note(n int64, now time.Time, memory time.Duration) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	more := n - d.count
	if more < 0 {
		more = n
	}
	if !d.known {
		more = 0
	}
	d.known, d.count = true, n
	if more == 0 {
		return 0
	}
	if now.Sub(d.last) > memory {
		d.grew = 0
	}
	d.grew += more
	d.last = now
	return more
}

func (d *drops) trouble(now time.Time, memory time.Duration) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last.IsZero() || now.Sub(d.last) > memory {
		return ""
	}
	return fmt.Sprintf("the broker has dropped %d messages; raise its max_queued_messages", d.grew)
}
