package pager

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"lamplighter/devices/database"
	"lamplighter/rules/tickets"
)

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

// Pager is the outbox and its senders.
type Pager struct {
	opt  Options
	wake []chan struct{} // by channel
	sent *prometheus.CounterVec
}

var _ tickets.Outbox = (*Pager)(nil)

// New returns a pager; Run sends.
func New(o Options) *Pager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a signed page goes where the city has said, and nowhere else
		}}
	}
	p := &Pager{opt: o,
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lamplighter_pages_total", Help: "Attempts to send a page, by channel and result (sent, retry, failed)."}, []string{"channel", "result"})}
	for range o.Channels {
		p.wake = append(p.wake, make(chan struct{}, 1))
	}
	o.Metrics.MustRegister(p.sent)
	return p
}

// Body is what a receiver gets.
type Body struct {
	What     string   `json:"what"`              // opened, acknowledged, worse, closed
	Ticket   string   `json:"ticket"`            // as the receiver knows it
	Current  string   `json:"current,omitempty"` // the ticket that is meant, where it goes on from Ticket
	Severity string   `json:"severity"`
	Facility string   `json:"facility"`
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Defect   string   `json:"defect"`
	ZH       string   `json:"summary_zh"`
	EN       string   `json:"summary_en"`
	Channel  string   `json:"channel,omitempty"`
	Value    *float64 `json:"value"`
	Limit    *float64 `json:"limit"`
	Since    string   `json:"since"` // RFC 3339 in the city's zone
	At       string   `json:"at"`
	Owner    string   `json:"owner,omitempty"`
	Lon      *float64 `json:"lon"`
	Lat      *float64 `json:"lat"`
}

// Enqueue writes a page for every channel that wants it, or that knows of its
// ticket: what has got better by its end has to end there too.
func (p *Pager) Enqueue(ctx context.Context, tx *database.Tx, pg tickets.Page) error {
	if len(p.opt.Channels) == 0 {
		return nil
	}
	b, err := p.body(ctx, tx, pg)
	if err != nil {
		return fmt.Errorf("page of ticket %d: %w", pg.Ticket, err)
	}
	for i := range p.opt.Channels {
		c := &p.opt.Channels[i]
		if pg.What == "better" {
			if err := p.ease(ctx, tx, c, &pg, b); err != nil {
				return fmt.Errorf("page of ticket %d: %w", pg.Ticket, err)
			}
			continue
		}
		wanted := c.wants(b)
		if news := pg.What == "opened" || pg.What == "worse"; news && !wanted {
			continue
		}
		if err := p.put(ctx, tx, c.Name, &pg, b, wanted); err != nil {
			return fmt.Errorf("page of ticket %d: %w", pg.Ticket, err)
		}
	}
	return nil
}

// body is what a page says about its ticket now.
func (p *Pager) body(ctx context.Context, tx *database.Tx, pg tickets.Page) (*Body, error) {
	b := &Body{What: pg.What, At: p.instant(pg.At)}
	var since int64
	err := tx.QueryRow(ctx, `SELECT t.number, t.severity, t.facility, COALESCE(f.name,''), t.kind, t.defect, t.summary_zh, t.summary_en, t.channel, t.value, t.limit_value, t.event_at, COALESCE(f.owner,''), f.lon, f.lat
		FROM ticket t LEFT JOIN facility f ON f.id=t.facility WHERE t.id=?`, pg.Ticket).
		Scan(&b.Ticket, &b.Severity, &b.Facility, &b.Name, &b.Kind, &b.Defect, &b.ZH, &b.EN, &b.Channel, &b.Value, &b.Limit, &since, &b.Owner, &b.Lon, &b.Lat)
	b.Since = p.instant(since)
	return b, err
}

func (p *Pager) instant(ms int64) string {
	return time.UnixMilli(ms).In(p.opt.Zone).Format("2006-01-02T15:04:05.000Z07:00")
}

// Wake makes the senders look at once.
func (p *Pager) Wake() {
	for _, w := range p.wake {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// Run sends what is due until ctx ends.
func (p *Pager) Run(ctx context.Context) {
	if err := p.orphans(ctx); err != nil && ctx.Err() == nil {
		p.opt.Log.Error().Err(err).Msg("pager")
	}
	var wg sync.WaitGroup
	for i := range p.opt.Channels {
		wg.Go(func() { p.serve(ctx, &p.opt.Channels[i], p.wake[i]) })
	}
	wg.Wait()
}

// serve sends the pages of one channel.
func (p *Pager) serve(ctx context.Context, c *Channel, wake <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for ctx.Err() == nil {
		more, err := p.next(ctx, c)
		if err != nil && ctx.Err() == nil {
			p.opt.Log.Error().Err(err).Str("channel", c.Name).Msg("pager")
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-wake:
		}
	}
}

// next sends one page; more is false when none was due.
func (p *Pager) next(ctx context.Context, c *Channel) (more bool, err error) {
	r, err := p.claim(ctx, c.Name)
	if r == nil {
		return false, err
	}
	f := p.send(ctx, c, r)
	if ctx.Err() != nil {
		return false, ctx.Err() // the claim runs out, and the page is sent again
	}
	result, err := p.settle(ctx, r, f)
	if err != nil {
		return false, err
	}
	p.sent.WithLabelValues(c.Name, result).Inc()
	if f != nil {
		p.opt.Log.Warn().Err(f.err).Str("channel", c.Name).Int64("page", r.id).Str("result", result).Msg("a page was not delivered")
	}
	return true, nil
}
