// Package pager sends pages: a transactional outbox and a sender of signed
// webhooks. A page is written in the transaction that caused it and sent at
// least once; its Idempotency-Key makes that exactly once at the receiver.
//
// # The webhook
//
// POST with a JSON body and the headers
//
//	Idempotency-Key: lamplighter-<outbox id>        the same on every attempt
//	Lamplighter-Signature: t=<unix s>,v1=<hex>      HMAC-SHA256 of "<t>.<body>" under the channel's secret
//
// 2xx is success. 429, 5xx and network failures are tried again for 24 hours;
// any other answer fails the page at once. Per ticket and channel, pages are
// sent in order.
package pager

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices/database"
	"lamplighter/rules/tickets"
)

// Channel is one place that pages go to.
type Channel struct {
	Name        string
	URL         string
	Secret      []byte
	MinSeverity string // info (default), minor, major, critical
	Kinds       []string
}

// Options of a Pager.
type Options struct {
	DB       *database.DB
	Channels []Channel
	Zone     *time.Location
	Log      zerolog.Logger
	Metrics  prometheus.Registerer
	Now      func() time.Time
	Client   *http.Client
}

// Pager is the outbox and its sender.
type Pager struct {
	opt  Options
	wake chan struct{}
	sent *prometheus.CounterVec
}

var _ tickets.Outbox = (*Pager)(nil)

// New returns a pager; Run sends.
func New(o Options) *Pager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second}
	}
	p := &Pager{opt: o, wake: make(chan struct{}, 1),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_pages_total", Help: "Attempts to send a page, by channel and result (sent, retry, failed)."}, []string{"channel", "result"})}
	o.Metrics.MustRegister(p.sent)
	return p
}

var rank = map[string]int{"": 0, "info": 0, "minor": 1, "major": 2, "critical": 3}

// Body is what a receiver gets.
type Body struct {
	What     string `json:"what"` // opened, acknowledged, closed
	Ticket   string `json:"ticket"`
	Severity string `json:"severity"`
	Facility string `json:"facility"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Defect   string `json:"defect"`
	ZH       string `json:"summary_zh"`
	EN       string `json:"summary_en"`
	Channel  string `json:"channel,omitempty"`
	Value    any    `json:"value"`
	Limit    any    `json:"limit"`
	Since    string `json:"since"` // RFC 3339 in the city's zone
	At       string `json:"at"`
	Owner    string `json:"owner,omitempty"`
	Lon      any    `json:"lon"`
	Lat      any    `json:"lat"`
}

// Enqueue writes a page for every channel that wants it.
func (p *Pager) Enqueue(ctx context.Context, tx *database.Tx, pg tickets.Page) error {
	if len(p.opt.Channels) == 0 {
		return nil
	}
	b := Body{What: pg.What, At: p.instant(pg.At)}
	var since int64
	var value, limit, lon, lat *float64
	err := tx.QueryRow(ctx, `SELECT t.number, t.severity, t.facility, COALESCE(f.name,''), t.kind, t.defect, t.summary_zh, t.summary_en, t.channel, t.value, t.limit_value, t.event_at, COALESCE(f.owner,''), f.lon, f.lat
		FROM ticket t LEFT JOIN facility f ON f.id=t.facility WHERE t.id=?`, pg.Ticket).
		Scan(&b.Ticket, &b.Severity, &b.Facility, &b.Name, &b.Kind, &b.Defect, &b.ZH, &b.EN, &b.Channel, &value, &limit, &since, &b.Owner, &lon, &lat)
	if err != nil {
		return fmt.Errorf("page of ticket %d: %w", pg.Ticket, err)
	}
	b.Value, b.Limit, b.Lon, b.Lat, b.Since = value, limit, lon, lat, p.instant(since)
	text, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("page of ticket %d: %w", pg.Ticket, err)
	}
	for i := range p.opt.Channels {
		if c := &p.opt.Channels[i]; c.wants(&b) {
			if _, err := tx.Exec(ctx, `INSERT INTO outbox (channel, ticket, body, state, next_at, created_at) VALUES (?,?,?,'pending',?,?)`, c.Name, pg.Ticket, string(text), pg.At, pg.At); err != nil {
				return fmt.Errorf("page of ticket %d: %w", pg.Ticket, err)
			}
		}
	}
	return nil
}

func (p *Pager) instant(ms int64) string {
	return time.UnixMilli(ms).In(p.opt.Zone).Format("2006-01-02T15:04:05.000Z07:00")
}

func (c *Channel) wants(b *Body) bool {
	if rank[b.Severity] < rank[c.MinSeverity] {
		return false
	}
	for _, k := range c.Kinds {
		if k == b.Kind {
			return true
		}
	}
	return len(c.Kinds) == 0
}

// Wake makes Run look at once.
func (p *Pager) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

type row struct {
	id, ticket, created int64
	channel, body       string
	attempts            int
}

// Run sends what is due until ctx ends.
func (p *Pager) Run(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		if err := p.round(ctx); err != nil && ctx.Err() == nil {
			p.opt.Log.Error().Err(err).Msg("pager")
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-p.wake:
		}
	}
}

// round sends the first page of every ticket and channel that is due.
func (p *Pager) round(ctx context.Context) error {
	rows, err := p.due(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		for i := range p.opt.Channels {
			if p.opt.Channels[i].Name == r.channel {
				if err := p.attempt(ctx, &p.opt.Channels[i], r); err != nil {
					return err
				}
			}
		}
	}
	if len(rows) > 0 {
		p.Wake()
	}
	return nil
}

func (p *Pager) due(ctx context.Context) ([]row, error) {
	rows, err := p.opt.DB.Query(ctx, `SELECT id, ticket, created_at, channel, body, attempts FROM outbox o WHERE state='pending' AND next_at<=?
		AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.state='pending' AND b.ticket=o.ticket AND b.channel=o.channel AND b.id<o.id) ORDER BY id LIMIT 100`, p.opt.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("pages that are due: %w", err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.ticket, &r.created, &r.channel, &r.body, &r.attempts); err != nil {
			return nil, fmt.Errorf("pages that are due: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// giveUp is how long a page is tried.
const giveUp = 24 * time.Hour

func (p *Pager) attempt(ctx context.Context, c *Channel, r row) error {
	retry, sendErr := p.send(ctx, c, r)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := p.opt.Now().UnixMilli()
	state, why, next, done := "sent", "", now, now
	if sendErr != nil {
		why = sendErr.Error()
		state = "failed"
		if retry && now-r.created < giveUp.Milliseconds() {
			state, done = "pending", 0
			next = now + min(int64(500)<<min(r.attempts, 10), 300_000)
		}
		p.opt.Log.Warn().Err(sendErr).Str("channel", c.Name).Int64("page", r.id).Bool("again", state == "pending").Msg("a page was not delivered")
	}
	p.sent.WithLabelValues(c.Name, map[string]string{"sent": "sent", "pending": "retry", "failed": "failed"}[state]).Inc()
	return p.opt.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE outbox SET state=?, attempts=attempts+1, next_at=?, done_at=?, last_error=? WHERE id=?`, state, next, done, why, r.id)
		return err
	})
}

// send makes one attempt; retry says whether another one makes sense.
func (p *Pager) send(ctx context.Context, c *Channel, r row) (retry bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader([]byte(r.body)))
	if err != nil {
		return false, fmt.Errorf("page to %s: %w", c.Name, err)
	}
	ts := p.opt.Now().Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("lamplighter-%d", r.id))
	req.Header.Set("Lamplighter-Signature", fmt.Sprintf("t=%d,v1=%s", ts, Sign(c.Secret, ts, []byte(r.body))))
	resp, err := p.opt.Client.Do(req)
	if err != nil {
		return true, fmt.Errorf("page to %s: %w", c.Name, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return true, fmt.Errorf("page to %s: %w", c.Name, err)
	}
	if resp.StatusCode/100 == 2 {
		return false, nil
	}
	return resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500, fmt.Errorf("page to %s: it answered %s", c.Name, resp.Status)
}

// Sign is the signature of a body at a time.
func Sign(secret []byte, ts int64, body []byte) string {
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "%d.", ts)
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// Sent is one page as the ticket's page shows it.
type Sent struct {
	Channel   string `json:"channel"`
	State     string `json:"state"` // pending, sent, failed
	Attempts  int    `json:"attempts"`
	LastError string `json:"last_error"`
	At        int64  `json:"at"`
}

// Of is every page of a ticket, oldest first.
func (p *Pager) Of(ctx context.Context, ticket int64) ([]Sent, error) {
	rows, err := p.opt.DB.Query(ctx, `SELECT channel, state, attempts, last_error, created_at FROM outbox WHERE ticket=? ORDER BY id`, ticket)
	if err != nil {
		return nil, fmt.Errorf("pages of ticket %d: %w", ticket, err)
	}
	defer rows.Close()
	out := []Sent{}
	for rows.Next() {
		var s Sent
		if err := rows.Scan(&s.Channel, &s.State, &s.Attempts, &s.LastError, &s.At); err != nil {
			return nil, fmt.Errorf("pages of ticket %d: %w", ticket, err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
