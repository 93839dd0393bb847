package main

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// publisher carries a message to a device: the listener, or a session with
// another broker.
type publisher interface {
	Publish(d devices.Downlink) error
}

// replies tells devices on f/1/{d}/error why something was refused, at most
// once per device, code and minute, with a count.
type replies struct {
	log zerolog.Logger

	mu   sync.Mutex
	ways []publisher         // guarded by mu
	said map[replyKey]*reply // guarded by mu
}

type replyKey struct {
	device devices.DeviceID
	code   devices.Code
}

type reply struct {
	at time.Time
	n  int
}

func newReplies(log zerolog.Logger) *replies {
	return &replies{log: log, said: make(map[replyKey]*reply)}
}

// docOf is the page about a code, from the root of the repository and of every
// package of ours: a daemon knows no address on the internet that is sure to
// be there for ever, and a device has no use for one.
func docOf(c devices.Code) string { return "deploy/docs/devices.md#" + strings.ToLower(string(c)) }

const (
	replyEvery = time.Minute
	maxReplies = 100_000
)

// through adds a way to devices. A reply takes all of them: who does not know
// the device drops it.
func (r *replies) through(p publisher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ways = append(r.ways, p)
}

// Refused answers, or counts for the next answer.
func (r *replies) Refused(d devices.DeviceID, ref *devices.Refusal) {
	n, ways := r.due(replyKey{d, ref.Code}, time.Now())
	if n == 0 {
		return
	}
	body, err := json.Marshal(map[string]any{"code": ref.Code, "path": ref.Path, "msg": ref.Msg, "seq": ref.Seq, "n": n, "doc": docOf(ref.Code)})
	if err != nil {
		r.log.Error().Err(err).Msg("tell a device why")
		return
	}
	topic := devices.Topic{Device: d, Leaf: devices.TopicError}.String()
	for _, w := range ways {
		if err := w.Publish(devices.Downlink{Device: d, Topic: topic, Payload: body}); err != nil {
			r.log.Debug().Err(err).Msg("tell a device why")
		}
	}
}

// due counts one refusal and returns how many there are to tell of now.
func (r *replies) due(k replyKey, now time.Time) (int, []publisher) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.said[k]
	if s == nil {
		if len(r.said) >= maxReplies {
			clear(r.said)
		}
		s = &reply{}
		r.said[k] = s
	}
	s.n++
	if len(r.ways) == 0 || now.Sub(s.at) < replyEvery {
		return 0, nil
	}
	n := s.n
	s.at, s.n = now, 0
	return n, r.ways
}
