package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"lamplighter/devices"
)

// prober is the connection over which the probes speak, one message at a time.
type prober struct {
	opt    *ProbeOptions
	line   line
	reader *bufio.Reader
	id     uint16
}

func (p *prober) dial(ctx context.Context) (err error) {
	p.line = line{run: &Run{opt: Options{Address: p.opt.Address}}, login: login{ClientID: p.opt.Prefix + "line", User: p.opt.User, Password: p.opt.Password}}
	p.reader, err = p.line.dial(ctx)
	return err
}

func (p *prober) device(i int) string { return fmt.Sprintf("%s%d", p.opt.Prefix, i) }

// send publishes and waits for the acknowledgement.
func (p *prober) send(device, body string) error {
	p.id = p.id%1000 + 1
	topic := devices.Topic{Device: devices.DeviceID(device), Leaf: devices.TopicTelemetry}.String()
	if err := p.line.conn.SetDeadline(time.Now().Add(ackTimeout)); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if _, err := p.line.conn.Write(appendPublish(nil, topic, p.id, []byte(body))); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	var buf [4096]byte
	for {
		kind, _, err := readPacket(p.reader, &buf)
		if err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		if kind == pubAck {
			return nil
		}
	}
}

// introduce lets every probe say that all is well, so that a census which takes
// unknown devices knows them before it counts.
func (p *prober) introduce(ctx context.Context) error {
	for i := range p.opt.Probes {
		if err := p.send(p.device(i), `{"tilt_deg":0.5,"cover_open":false}`); err != nil {
			return err
		}
	}
	return pause(ctx, 3*time.Second) // the census is in the log and in the rules by then
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *prober) run(ctx context.Context, opened <-chan sighting, ended <-chan error) (ProbeReport, error) {
	var all histogram
	for i := range p.opt.Probes {
		d, err := p.one(ctx, p.device(i), opened, ended)
		if err != nil {
			return ProbeReport{}, fmt.Errorf("probe %d of %d: %w", i+1, p.opt.Probes, err)
		}
		all.add(d)
		if p.opt.Tell != nil {
			p.opt.Tell(i + 1)
		}
		if err := pause(ctx, p.opt.Every); err != nil {
			return ProbeReport{}, err
		}
	}
	return ProbeReport{Tickets: int(all.n), P50: all.quantile(0.5), P99: all.quantile(0.99), Max: all.max}, nil
}

// one displaces a cover, waits for its ticket and puts it back.
func (p *prober) one(ctx context.Context, device string, opened <-chan sighting, ended <-chan error) (time.Duration, error) {
	began := time.Now()
	if err := p.send(device, `{"r":[{"t":-3,"v":{"tilt_deg":40}},{"t":0,"v":{"tilt_deg":41}}]}`); err != nil {
		return 0, err
	}
	timeout := time.After(patience)
	for {
		select {
		case s := <-opened:
			if s.facility == device {
				return s.at.Sub(began), p.send(device, `{"tilt_deg":0.5}`)
			}
		case err := <-ended:
			return 0, err
		case <-timeout:
			return 0, errors.New("no ticket within " + patience.String() + "; are unknown devices taken (devices.anonymous), or the probes in the census?")
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
