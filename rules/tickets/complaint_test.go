package tickets

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
	"lamplighter/rules"
)

// ThingsBoard 2986, 5652, 15583: many that find the same defect at once, in
// several partitions and by hand, open one ticket and cause one page.
func TestComplaintDuplicateAlarmsUnderConcurrency(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		d := newDesk(t, url, QuarantineOptions{})
		pages := &pageList{}
		d.opt.Outbox = pages
		const partitions, rounds = 8, 5
		var wg sync.WaitGroup
		errs := make([]error, partitions)
		for p := range partitions {
			wg.Go(func() { errs[p] = d.shout(t, p, rounds) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		ts, err := d.List(t.Context(), Filter{})
		if err != nil || len(ts) != 1 || len(pages.got) != 1 {
			t.Errorf("%d tickets, %d pages (%v); want one of each", len(ts), len(pages.got), err)
		}
	})
}

// shout opens the same defect again and again in a partition.
func (d *desk) shout(t *testing.T, partition, rounds int) error {
	p, err := d.Resume(t.Context(), partition, 0)
	if err != nil {
		return err
	}
	for i := range rounds {
		o := rules.Outcome{Partition: partition, Epoch: p.Epoch, OldSeq: uint64(i), NewSeq: uint64(i + 1), Wall: d.now.UnixMilli()}
		o.Transitions = []rules.Transition{{Type: rules.Opened, Facility: "MH-1", Kind: devices.Manhole, Defect: "cover_displaced", Severity: rules.Critical, At: o.Wall, Wall: o.Wall}}
		if err := d.Commit(t.Context(), &o); err != nil {
			return fmt.Errorf("partition %d: %w", partition, err)
		}
	}
	return nil
}
