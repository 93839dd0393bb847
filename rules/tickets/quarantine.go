package tickets

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// The bounds of what the quarantine takes. Beyond them a refusal is counted,
// never forgotten: see [Quarantine.Unkept].
const (
	MaxKept       = 64 << 10 // bytes of one payload
	keptPerDevice = 20       // entries a minute of one device and code
	keptPerMinute = 3000     // entries a minute of all
	maxText       = 1000     // bytes of a topic, path or message
)

// QuarantineOptions bound the whole.
type QuarantineOptions struct {
	DB       *database.DB
	MaxAge   time.Duration // default 30 days
	MaxBytes int64         // of payloads; default 256 MB
	Metrics  prometheus.Registerer
	Now      func() time.Time
}

// Quarantine keeps what was refused: the bytes, and where and why. A flood of
// garbage costs the rules' transaction no more than keptPerMinute rows a minute.
// It is safe for concurrent use.
type Quarantine struct {
	opt    QuarantineOptions
	unkept *prometheus.CounterVec

	mu     sync.Mutex
	minute int64             // guarded by mu
	kept   map[refusalOf]int // guarded by mu: entries of this minute
	total  int               // guarded by mu
}

// refusalOf is what refusals are counted by.
type refusalOf struct{ device, code string }

// NewQuarantine returns a quarantine; [Quarantine.Prune] holds it to its bounds.
func NewQuarantine(o QuarantineOptions) *Quarantine {
	if o.MaxAge == 0 {
		o.MaxAge = 30 * 24 * time.Hour
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	q := &Quarantine{opt: o, kept: make(map[refusalOf]int),
		unkept: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_quarantine_unkept_total", Help: "Refused messages that the quarantine does not hold, by reason (flood, age, bytes)."}, []string{"reason"})}
	if o.Metrics != nil {
		o.Metrics.MustRegister(q.unkept)
	}
	return q
}

// batchOf is what one transaction writes.
type batchOf struct {
	wall int64
	keep []*rules.Refused
	over map[refusalOf]int64 // counted only
}

// admit chooses what is kept of the refusals of one outcome.
func (q *Quarantine) admit(wall int64, refused []rules.Refused) batchOf {
	b := batchOf{wall: wall}
	if len(refused) == 0 {
		return b
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if m := wall / 60_000; m > q.minute {
		q.minute, q.total = m, 0
		clear(q.kept)
	}
	for i := range refused {
		r := &refused[i]
		k := refusalOf{string(r.Uplink.Device), string(r.Refusal.Code)}
		switch {
		case q.kept[k] >= keptPerDevice:
			b.count(k)
		case q.total >= keptPerMinute:
			b.count(refusalOf{"", k.code}) // so many devices that not each gets a line of its own
		default:
			q.kept[k]++
			q.total++
			b.keep = append(b.keep, r)
		}
	}
	q.unkept.WithLabelValues("flood").Add(float64(len(refused) - len(b.keep)))
	return b
}

func (b *batchOf) count(k refusalOf) {
	if b.over == nil {
		b.over = make(map[refusalOf]int64)
	}
	b.over[k]++
}

// write writes b within the transaction of its outcome.
func (b *batchOf) write(ctx context.Context, tx *database.Tx) error {
	const rows = 50
	for i := 0; i < len(b.keep); i += rows {
		part := b.keep[i:min(i+rows, len(b.keep))]
		args := make([]any, 0, len(part)*columnsKept)
		for _, r := range part {
			u := &r.Uplink
			cut := u.Payload[:min(len(u.Payload), MaxKept)]
			args = append(args, b.wall, clean(string(u.Device)), clean(u.Topic), clean(u.Source), u.Received, string(r.Refusal.Code), clean(r.Refusal.Path), clean(r.Refusal.Msg),
				base64.StdEncoding.EncodeToString(cut), int64(u.Flags), len(u.Payload), len(cut))
		}
		if err := insertKept(ctx, tx, len(part), args); err != nil {
			return err
		}
	}
	return count(ctx, tx, b.wall, "flood", b.over)
}

const columnsKept = 12

func insertKept(ctx context.Context, tx *database.Tx, n int, args []any) error {
	_, err := tx.Exec(ctx, `INSERT INTO quarantine (at, device, topic, source, received, code, path, msg, payload, flags, size, kept) VALUES `+
		strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,?,?,?,?,?,?,?),", n), ","), args...)
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// count notes what is not kept, by the hour.
func count(ctx context.Context, tx *database.Tx, wall int64, reason string, over map[refusalOf]int64) error {
	for k, n := range over {
		_, err := tx.Exec(ctx, `INSERT INTO quarantine_unkept (hour, device, code, reason, n) VALUES (?,?,?,?,?) ON CONFLICT (hour, device, code, reason) DO UPDATE SET n=quarantine_unkept.n+excluded.n`,
			wall/3_600_000, clean(k.device), k.code, reason, n)
		if err != nil {
			return fmt.Errorf("count what the quarantine does not keep: %w", err)
		}
	}
	return nil
}

// Refused keeps a line that the time-series store refused.
func (q *Quarantine) Refused(ctx context.Context, line, reason string) error {
	now := q.opt.Now().UnixMilli()
	r := rules.Refused{Uplink: devices.Uplink{Source: StoreSource, Received: now, Payload: []byte(line)}, Refusal: devices.Refusal{Code: devices.CodeStore, Msg: reason}}
	b := q.admit(now, []rules.Refused{r})
	return q.opt.DB.Write(ctx, func(tx *database.Tx) error { return b.write(ctx, tx) })
}

// StoreSource is the source of an entry that is a line of the store.
const StoreSource = "store"

// clean makes s fit for a TEXT column of PostgreSQL.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	if utf8.ValidString(s) && !strings.Contains(s, "\x00") {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
