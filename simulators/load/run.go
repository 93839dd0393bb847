package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"lamplighter/devices"
)

// Options of a Run.
type Options struct {
	Address     string            // host:port
	Connections int               // default 100; with Credentials one for each device
	Devices     int               // that the connections speak for; default one each
	Prefix      string            // of their ids; default LD-
	Credentials map[string]string // passwords by device, instead of Devices and Prefix
	User        string            // of all connections; "" = anonymous
	Password    string
	Rate        float64       // messages a second in all, 0 = as fast as it goes
	Count       int64         // messages in all, 0 = no end
	Duration    time.Duration // 0 = no end
	InFlight    int           // messages of a connection that are not acknowledged yet; default 32
	Channels    int           // in a message; default 10
	Payload     string        // instead of Channels; $SEQ, $TS and $DEVICE are replaced
	Ledger      *Ledger       // of what was acknowledged; may be nil
	Boot        string        // in the ledger and the messages; default the start's time
	Tell        func(Progress)
}

func (o Options) withDefaults() Options {
	if n := len(o.Credentials); n > 0 {
		o.Connections, o.Devices = n, n
	}
	if o.Connections == 0 {
		o.Connections = 100
	}
	o.Devices = max(o.Devices, o.Connections)
	if o.Prefix == "" {
		o.Prefix = "LD-"
	}
	if o.InFlight == 0 {
		o.InFlight = 32
	}
	if o.Channels == 0 {
		o.Channels = 10
	}
	if o.Boot == "" {
		o.Boot = strconv.FormatInt(time.Now().UnixMilli(), 36)
	}
	return o
}

// Progress is how far a run has come.
type Progress struct {
	Connected, Acked int64
}

// Run is a load under way.
type Run struct {
	opt       Options
	boot      string
	payload   *payload
	lines     []*line
	connected atomic.Int64 // log-ins that succeeded
	acked     atomic.Int64
}

// Report is what was measured. Latency is from when a message was due to be
// sent to its acknowledgement.
type Report struct {
	Acked, Sent        int64
	Elapsed            time.Duration
	P50, P95, P99, Max time.Duration
	Errors             map[string]int64
}

// New prepares a run. An error says which option cannot be.
func New(o Options) (*Run, error) {
	if o.InFlight > 65535 {
		return nil, fmt.Errorf("%d messages in flight: MQTT has room for 65535", o.InFlight)
	}
	o = o.withDefaults()
	r := &Run{opt: o, boot: o.Boot, payload: newPayload(o.Payload, o.Boot, o.Channels)}
	ids := slices.Sorted(maps.Keys(o.Credentials))
	for i := range o.Connections {
		l := &line{run: r, login: login{ClientID: fmt.Sprintf("load-%s-%d", o.Boot, i), User: o.User, Password: o.Password, KeepAlive: 60}, slots: make([]slot, o.InFlight), errs: map[string]int64{}}
		if len(ids) > 0 {
			l.login = login{ClientID: ids[i], User: ids[i], Password: o.Credentials[ids[i]], KeepAlive: 60}
		}
		l.share = o.Rate / float64(o.Connections)
		if o.Count > 0 {
			l.quota = o.Count/int64(o.Connections) + btoi(int64(i) < o.Count%int64(o.Connections))
		}
		r.lines = append(r.lines, l)
	}
	for i := range o.Devices {
		id := fmt.Sprintf("%s%06d", o.Prefix, i+1)
		if len(ids) > 0 {
			id = ids[i]
		}
		if _, err := devices.ParseDeviceID(id); err != nil {
			return nil, err
		}
		l := r.lines[i%o.Connections]
		l.devices = append(l.devices, device{id: id, topic: devices.Topic{Device: devices.DeviceID(id), Leaf: devices.TopicTelemetry}.String(), seq: 1})
	}
	return r, nil
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Do puts the load on until it is enough or ctx ends, and waits for what is
// under way.
func (r *Run) Do(ctx context.Context) (Report, error) {
	if r.opt.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.opt.Duration)
		defer cancel()
	}
	began := time.Now()
	var wg sync.WaitGroup
	for _, l := range r.lines {
		if l.quota > 0 || r.opt.Count == 0 {
			wg.Go(func() { l.work(ctx) })
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	r.tell(done)
	return r.report(time.Since(began))
}

// tell reports progress every second until done.
func (r *Run) tell(done <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			if r.opt.Tell != nil {
				r.opt.Tell(Progress{r.connected.Load(), r.acked.Load()})
			}
		}
	}
}

func (r *Run) report(elapsed time.Duration) (Report, error) {
	var all histogram
	rep := Report{Elapsed: elapsed, Acked: r.acked.Load(), Errors: map[string]int64{}}
	for _, l := range r.lines {
		all.merge(&l.acks)
		rep.Sent += l.sent
		for what, n := range l.errs {
			rep.Errors[what] += n
		}
	}
	rep.P50, rep.P95, rep.P99, rep.Max = all.quantile(0.50), all.quantile(0.95), all.quantile(0.99), all.max
	if rep.Acked == 0 {
		return rep, errors.New("not one message was acknowledged")
	}
	return rep, nil
}

// Rate is acknowledged messages a second.
func (r *Report) Rate() float64 { return float64(r.Acked) / r.Elapsed.Seconds() }

// Print writes the report for people.
func (r *Report) Print(out io.Writer) {
	fmt.Fprintf(out, "acknowledged  %d of %d sent in %.2f s: %.0f messages/s\n", r.Acked, r.Sent, r.Elapsed.Seconds(), r.Rate())
	fmt.Fprintf(out, "latency       p50 %s  p95 %s  p99 %s  max %s\n", short(r.P50), short(r.P95), short(r.P99), short(r.Max))
	for _, what := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(out, "error         %d × %s\n", r.Errors[what], what)
	}
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
