package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/codec"
	"lamplighter/ingest/config"
)

type decodeCmd struct {
	configFlag
	Topic    string    `required:"" help:"Topic that it was published on, as in f/1/MH-1/telemetry."`
	Received time.Time `help:"When it was received (RFC 3339); now if not given."`
	Retained bool      `help:"It was a retained message."`
	File     string    `arg:"" help:"File with the payload, - for standard input."`
}

// maxPayload is how much of a file is read: more is refused by any codec.
const maxPayload = 4 << 20

// Run prints what the payload means in the form of the API's
// /quarantine/{id}/decode; a refusal is an error.
func (c *decodeCmd) Run(d *doorway) error {
	conf, err := config.Load(c.Config, d.env)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(conf.Zone)
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	payload, err := readPayload(c.File)
	if err != nil {
		return err
	}
	dict, err := newDictionary()
	if err != nil {
		return err
	}
	if c.Received.IsZero() {
		c.Received = time.Now()
	}
	u := devices.Uplink{Device: publisherOf(c.Topic), Topic: c.Topic, Payload: payload, Received: c.Received.UnixMilli(), Source: "decode"}
	if c.Retained {
		u.Flags |= devices.FlagRetained
	}
	var m devices.Message
	if ref := codec.New(dict, codec.Options{MaxPast: conf.Store.Retention}).Decode(&u, &m); ref != nil {
		return refused{ref}
	}
	_, err = io.WriteString(d.out, tell(&m, zone))
	return err
}

func readPayload(file string) ([]byte, error) {
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("payload: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxPayload))
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return b, nil
}

// publisherOf is whose message it is; of another platform's topics
// nobody knows, so the name is only a stand-in.
func publisherOf(topic string) devices.DeviceID {
	if t, ok := devices.ParseTopic(topic); ok {
		return t.Device
	}
	return "device"
}

// refused is a refusal as the command line tells it.
type refused struct{ ref *devices.Refusal }

// Error has one line each for code, path and reason.
func (r refused) Error() string {
	return fmt.Sprintf("refused\n  code    %s\n  path    %s\n  reason  %s", r.ref.Code, r.ref.Path, r.ref.Msg)
}

// Unwrap says that the input was wrong, not the tool.
func (r refused) Unwrap() error { return errors.Join(devices.ErrInvalid, r.ref) }

// tell is a message in lines: what it is, then each reading with its time, how
// that was resolved, and its values.
func tell(m *devices.Message, zone *time.Location) string {
	var b strings.Builder
	fmt.Fprintf(&b, "taken  %s of %s", m.Type, m.Device)
	if m.HasSeq {
		fmt.Fprintf(&b, "  seq %d", m.Seq)
	}
	if m.Boot != "" {
		fmt.Fprintf(&b, "  boot %s", m.Boot)
	}
	if m.Type == devices.Event {
		fmt.Fprintf(&b, "  %s at %s", m.Event.Name, at(m.Event.Time, zone))
	}
	if m.Type == devices.State {
		fmt.Fprintf(&b, "  %s", m.State.Status)
	}
	b.WriteByte('\n')
	for i := range m.Readings {
		r := &m.Readings[i]
		fmt.Fprintf(&b, "  %s  (time: %s)\n", at(r.Time, zone), r.Source)
		for j := range r.Values {
			fmt.Fprintf(&b, "    %s\n", value(&r.Values[j]))
		}
	}
	if m.Notice != nil {
		fmt.Fprintf(&b, "notice  %s\n", m.Notice)
	}
	return b.String()
}

func at(ms int64, zone *time.Location) string {
	return time.UnixMilli(ms).In(zone).Format("2006-01-02T15:04:05.000Z07:00")
}

func value(v *devices.Value) string {
	s := fmt.Sprintf("%s = %g %s", v.Channel.Name, v.Num, v.Channel.Unit)
	switch v.Channel.Type {
	case devices.Text:
		s = fmt.Sprintf("%s = %q", v.Channel.Name, v.Text)
	case devices.Bool:
		s = fmt.Sprintf("%s = %t", v.Channel.Name, v.Num != 0)
	}
	if v.Quality == devices.Fault {
		s = v.Channel.Name + " = null"
	}
	s = strings.TrimSpace(s)
	if v.Quality != devices.Good {
		s += "  (" + v.Quality.String() + ")"
	}
	if v.Channel.Unknown {
		s += "  (a channel that no dictionary knows)"
	}
	return s
}
