package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/dashboards"
)

func TestOwnTroubleWakesSomebodyOnceWhenItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		start := time.Now()
		var trouble atomic.Pointer[string]
		is := func(why string) { trouble.Store(&why) }
		is("")
		w := &watchman{log: zerolog.Nop(),
			health: func() []dashboards.Part {
				why := *trouble.Load()
				return []dashboards.Part{{Name: "store-0", OK: why == "", Trouble: why}}
			},
			report: func(_ context.Context, p dashboards.Part, over bool) error {
				said = append(said, fmt.Sprint(time.Since(start).Truncate(time.Second), " ", p.Name, " ", p.Trouble, " ", over))
				return nil
			}}
		ctx, cancel := context.WithCancel(t.Context())
		go w.run(ctx)
		at := func(s int) { time.Sleep(time.Until(start.Add(time.Duration(s)*time.Second + time.Millisecond))) }
		at(60) // the part is well: a ticket from before a restart is closed
		is("away for a moment")
		at(80)
		is("")
		at(200)
		is("the disk is gone")
		at(300)
		is("")
		at(310)
		is("it flaps")
		at(320)
		is("")
		at(400)
		cancel()
		synctest.Wait()
		is("ill from the start")
		start = time.Now()
		ctx, cancel = context.WithCancel(t.Context())
		go w.run(ctx)
		at(60)
		cancel()
		synctest.Wait()
		want := []string{"31s store-0  true", "3m51s store-0 the disk is gone false", "5m51s store-0  true", "31s store-0 ill from the start false"}
		if fmt.Sprint(said) != fmt.Sprint(want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}
