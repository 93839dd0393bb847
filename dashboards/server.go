// Package dashboards is what people and programs see: the HTTP API, the live
// stream and the web board. It reads and never judges; what it needs from the
// other end of the daemon it declares as small interfaces.
package dashboards

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/registry"
	"lamplighter/rules"
	"lamplighter/rules/lighting"
	"lamplighter/rules/pager"
	"lamplighter/rules/tickets"
)

// Point is one stored value.
type Point struct {
	T    int64 // Unix ms
	V    float64
	Text string // of a text channel, where V is 1
}

// Querier reads the time-series store.
type Querier interface {
	Range(ctx context.Context, id, channel string, from, to int64, limit int) ([]Point, error)
	Latest(ctx context.Context, ids []string) (map[string]map[string]Point, error)
}

// State is what the rules know of facilities.
type State interface {
	Inspect(id devices.FacilityID) (rules.Facts, bool)
	// Expected is what a baseline makes of a time; ok is false if there is no such
	// baseline of that facility.
	Expected(q *rules.Expecting) ([]rules.Expectation, bool)
	// Count is how many facilities stand how, by devices.Kind and
	// rules.Standing, and the event time of the newest reading, Unix ms.
	Count() ([4]rules.Counts, int64)
	// Standings is how each of the facilities stands.
	Standings(ids []devices.FacilityID) []rules.Standing
	// Sunless tells which of the facilities rules by the sun do not judge, as neither
	// they nor their circuit or cabinet have a place in the census.
	Sunless(ids []devices.FacilityID) []bool
	// Rules is the set that is in force.
	Rules() *rules.Set
}

// Part is the health of one part of the daemon.
type Part struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Trouble string `json:"trouble,omitempty"`
	Sunless int    `json:"sunless,omitempty" doc:"of the rules: how many facilities those by the sun do not judge, as neither they nor their circuit or cabinet have a place: GET /api/v1/facilities?sunless=true. No trouble of the daemon's"`
	AgeMS   int64  `json:"age_ms,omitempty"` // how far it lies behind

	Title   devices.Title `json:"-"` // what it is in words, for the ticket about it; of a way in none
	Link    string        `json:"-"` // of a part that is a way in: its name
	Since   time.Time     `json:"-"` // of a way in that is down: since when
	Covered bool          `json:"-"` // another part tells of the same trouble
}

// Options of a Server.
type Options struct {
	Address    string
	CertFile   string // with KeyFile: HTTPS
	KeyFile    string
	Proxies    []string      // addresses and networks whose X-Forwarded-For is believed
	Rate       float64       // requests per second of one caller; default 100
	Heartbeat  time.Duration // of live streams, and how soon one ends after its session; default 15 s
	DB         *database.DB
	Auth       *auth.Keeper
	Census     *registry.Registry
	Dict       *devices.Dictionary
	Tickets    *tickets.Desk
	Quarantine *tickets.Quarantine
	Windows    *tickets.Windows
	Lighting   *lighting.Book
	Retaker    Retaker
	Pager      *pager.Pager
	State      State
	Querier    Querier
	Health     func() []Part
	Zone       *time.Location
	Log        zerolog.Logger
	Gatherer   prometheus.Gatherer
	Now        func() time.Time
}

// Server serves HTTP.
type Server struct {
	opt       Options
	ln        net.Listener
	http      *http.Server
	hub       *hub
	doc       *huma.OpenAPI
	proxies   proxies
	callers   *auth.Limiter // requests by who sends them
	strangers *auth.Limiter // requests without a valid token or session, by address
	expects   interval
	paces     paces
	stop      context.CancelFunc
	wg        sync.WaitGroup
}

// New opens the address; requests are taken from Start on.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rate == 0 {
		o.Rate = 100
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 15 * time.Second
	}
	s := &Server{opt: o, hub: newHub(), callers: auth.NewLimiter(o.Rate, int(4*o.Rate)+1, o.Now), strangers: auth.NewLimiter(5, 50, o.Now)}
	var err error
	if s.proxies, err = parseProxies(o.Proxies); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	h, err := s.routes()
	if err != nil {
		return nil, err
	}
	if s.ln, err = s.listen(); err != nil {
		return nil, err
	}
	s.http = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	return s, nil
}

// listen opens the address, with TLS if there is a certificate.
func (s *Server) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", s.opt.Address)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP on %s: %w", s.opt.Address, err)
	}
	if s.opt.CertFile == "" {
		return ln, nil
	}
	c, err := newCertificate(s.opt.CertFile, s.opt.KeyFile, s.opt.Log)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"http/1.1"}}), nil
}

// routes is every way into the server.
func (s *Server) routes() (http.Handler, error) {
	board, err := newBoard()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.opt.Gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /-/healthy", s.healthy)
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	mux.HandleFunc("GET /api/v1/live", s.live)
	s.doc = s.api(mux).OpenAPI()
	for _, m := range methods() {
		mux.HandleFunc(m+" "+apiRoot, s.noRoute(mux))
	}
	mux.Handle("GET /", board)
	return http.MaxBytesHandler(guarded(mux), 64<<20), nil
}

// guarded adds the headers that keep a page from being misused.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// Start serves until Stop.
func (s *Server) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	begun := s.beginFeed(ctx) // before the first reader, who else would miss what happens meanwhile
	s.wg.Go(func() { s.feed(ctx, begun) })
	s.wg.Go(func() { s.sweep(ctx) })
	s.wg.Go(func() {
		if err := s.http.Serve(s.ln); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.opt.Log.Error().Err(err).Msg("HTTP")
		}
	})
}

// sweep forgets expired sessions and tokens, at the start and every hour.
func (s *Server) sweep(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := s.opt.Auth.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.opt.Log.Error().Err(err).Msg("sweep")
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Stop ends live streams and waits for requests, at most until ctx ends.
func (s *Server) Stop(ctx context.Context) error {
	s.stop()
	err := s.http.Shutdown(ctx)
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("stop HTTP: %w", err)
	}
	return nil
}
