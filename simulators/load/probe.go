package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ProbeOptions say how publish → ticket is measured.
type ProbeOptions struct {
	Address  string // of MQTT, host:port
	HTTP     string // of the daemon, http://host:port
	Token    string // of a viewer
	User     string // of the probes' connection; "" = anonymous
	Password string
	Prefix   string        // of the probes' ids; default PROBE-
	Probes   int           // default 100
	Every    time.Duration // between two; default 200 ms
	Tell     func(done int)
}

// ProbeReport is what the probes measured, from the PUBLISH that shows a
// displaced cover to its ticket on the live stream of the API. The ticket stands
// in the database before it is on the stream, so these times are upper bounds.
type ProbeReport struct {
	Tickets       int
	P50, P99, Max time.Duration
}

// patience is how long a probe waits for its ticket.
const patience = 30 * time.Second

// Probe displaces one cover at a time. Each probe is a device of its own. Its
// message holds two readings three seconds apart, so that no rule has to wait
// for a hold time: what is measured is the way, not the patience of the rules.
func Probe(ctx context.Context, o ProbeOptions) (ProbeReport, error) {
	if o.Prefix == "" {
		o.Prefix = fmt.Sprintf("PROBE-%d-", time.Now().Unix()%1e6)
	}
	if o.Probes == 0 {
		o.Probes = 100
	}
	if o.Every == 0 {
		o.Every = 200 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened := make(chan sighting, 1024)
	streamErr := make(chan error, 1)
	resp, err := subscribe(ctx, &o)
	if err != nil {
		return ProbeReport{}, err
	}
	defer resp.Body.Close()
	go func() { streamErr <- follow(ctx, resp, o.Prefix, opened) }()
	p := prober{opt: &o}
	if err := p.dial(ctx); err != nil {
		return ProbeReport{}, err
	}
	defer p.line.conn.Close()
	if err := p.introduce(ctx); err != nil {
		return ProbeReport{}, err
	}
	return p.run(ctx, opened, streamErr)
}

// ProbeUnder probes while a background load is on; without a rate there is none.
func ProbeUnder(ctx context.Context, back Options, o ProbeOptions) (Report, ProbeReport, error) {
	if back.Rate <= 0 {
		rep, err := Probe(ctx, o)
		return Report{}, rep, err
	}
	run, err := New(back)
	if err != nil {
		return Report{}, ProbeReport{}, err
	}
	under, stop := context.WithCancel(ctx)
	defer stop()
	var loaded Report
	var loadErr error
	done := make(chan struct{})
	go func() { defer close(done); loaded, loadErr = run.Do(under) }()
	rep, err := Probe(ctx, o)
	stop()
	<-done
	return loaded, rep, errors.Join(err, loadErr)
}

// sighting is a ticket that was seen on the stream.
type sighting struct {
	facility string
	at       time.Time
}

func subscribe(ctx context.Context, o *ProbeOptions) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(o.HTTP, "/")+"/api/v1/live", nil)
	if err != nil {
		return nil, fmt.Errorf("live stream: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+o.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("live stream: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("live stream: %s answered %s; is the token right?", o.HTTP, resp.Status)
	}
	return resp, nil
}

// follow reads server-sent events (HTML standard, section 9.2) and hands on
// when the tickets of the probes were first seen.
func follow(ctx context.Context, resp *http.Response, prefix string, opened chan<- sighting) error {
	sc := bufio.NewScanner(resp.Body)
	sc.Buffer(nil, 4<<20)
	event := ""
	for sc.Scan() {
		line := sc.Bytes()
		if name, ok := bytes.CutPrefix(line, []byte("event:")); ok {
			event = string(bytes.TrimSpace(name))
		}
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok || event != "ticket" {
			continue
		}
		s := sighting{at: time.Now()}
		var t struct{ Facility string }
		if err := json.Unmarshal(data, &t); err != nil {
			return fmt.Errorf("live stream: %w", err)
		}
		if s.facility = t.Facility; strings.HasPrefix(s.facility, prefix) {
			select {
			case opened <- s:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return errors.Join(errors.New("the live stream has ended"), sc.Err())
}
