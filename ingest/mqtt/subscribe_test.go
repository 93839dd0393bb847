package mqtt

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/rs/zerolog"
)

// refusing is a connected client whose broker grants no subscription.
type refusing struct {
	paho.Client
	asked int
}

func (r *refusing) IsConnectionOpen() bool { return true }

func (r *refusing) SubscribeMultiple(map[string]byte, paho.MessageHandler) paho.Token {
	r.asked++
	return refusal{}
}

type refusal struct{ paho.Token }

func (refusal) WaitTimeout(time.Duration) bool { return true }
func (refusal) Error() error                   { return errors.New("not today") }

// late is an answer to SUBSCRIBE that never comes.
type late struct{ paho.Token }

func (late) WaitTimeout(d time.Duration) bool { time.Sleep(d); return false }

func TestAnAnswerToSubscribeIsWaitedForWhileMessagesCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{URL: "tcp://127.0.0.1:1", Filters: []string{"f/1/+/#"}, ClientID: "l", Sink: make(sink), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		pc := &refusing{}
		c.paho, c.up = pc, true
		ended := make(chan bool, 1)
		go func() { ended <- c.answered(pc, late{}) }()
		for range 60 {
			c.came.Store(time.Now().UnixMilli())
			time.Sleep(5 * time.Second)
		}
		if len(ended) > 0 {
			t.Error("given up while messages came")
		}
		last := time.Now()
		if answered := <-ended; answered || time.Since(last) > 2*c.opt.timing.suback {
			t.Errorf("answered %t, %v after the last message", answered, time.Since(last))
		}
	})
}

func TestAStopDoesNotWaitForTheNextAttemptToSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{URL: "tcp://127.0.0.1:1", Filters: []string{"f/1/+/#"}, ClientID: "l", Sink: make(sink), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		pc := &refusing{}
		c.paho = pc
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan time.Time, 1)
		go func() { c.connected(ctx, pc); ended <- time.Now() }()
		time.Sleep(65 * time.Second) // asked at 0, 1, 3, 7, 15, 31 and 61 s; the next time would be 91 s
		synctest.Wait()
		if pc.asked != 7 {
			t.Errorf("asked %d times in 65 s, want 7", pc.asked)
		}
		cancel()
		stopped := time.Now()
		if at := <-ended; !at.Equal(stopped) {
			t.Errorf("ended %v after the stop", at.Sub(stopped))
		}
	})
}
