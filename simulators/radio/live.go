package radio

import (
	"context"
	"time"

	"lamplighter/simulators/fleet"
)

// Live lets a city live: one second of its time is one of ours, or less with a
// speed above 1.
type Live struct {
	City    *fleet.City
	Start   time.Time // the city's time when Run is called
	Speed   float64   // default 1
	Publish func(context.Context, fleet.Publish) error
	Tell    func(sent int, now time.Time) // every few seconds; may be nil
}

const (
	beat      = 50 * time.Millisecond
	tellEvery = 5 * time.Second
)

// Run publishes what the city sends until ctx ends; then it returns nil.
func (l *Live) Run(ctx context.Context) error {
	if l.Speed == 0 {
		l.Speed = 1
	}
	began, told, sent := time.Now(), time.Now(), 0
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		now := l.Start.Add(time.Duration(float64(time.Since(began)) * l.Speed))
		for _, p := range l.City.Step(now) {
			if err := l.Publish(ctx, p); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			sent++
		}
		if l.Tell != nil && time.Since(told) >= tellEvery {
			told = time.Now()
			l.Tell(sent, now)
		}
	}
}
