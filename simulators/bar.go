package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lamplighter/simulators/record"
)

// bar shows how far a recording has come: on a terminal a line that grows,
// elsewhere a line for each tenth.
type bar struct {
	out   io.Writer
	whole time.Duration
	live  bool
	began time.Time
	shown time.Time // live only
	tenth int
	last  record.Progress
}

func newBar(out io.Writer, whole time.Duration) *bar {
	b := &bar{out: out, whole: whole, began: time.Now()}
	if f, ok := out.(*os.File); ok {
		if st, err := f.Stat(); err == nil {
			b.live = st.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

func (b *bar) tell(p record.Progress) {
	b.last = p
	tenth := int(10 * p.Done / b.whole)
	if b.live && time.Since(b.shown) < 200*time.Millisecond || !b.live && tenth == b.tenth {
		return
	}
	b.shown, b.tenth = time.Now(), tenth
	head, tail := "", "\n"
	if b.live {
		n := int(30 * p.Done / b.whole)
		head, tail = fmt.Sprintf("\r[%s%s] ", strings.Repeat("#", n), strings.Repeat(" ", 30-n)), "   "
	}
	left := time.Duration(float64(time.Since(b.began)) * float64(b.whole-p.Done) / float64(p.Done))
	fmt.Fprintf(b.out, "%s%3d %%  %.1f days  %.1f million records  %d MB  %s left%s", head, 100*p.Done/b.whole, p.Done.Hours()/24, float64(p.Records)/1e6, p.Bytes>>20, left.Round(time.Second), tail)
}

func (b *bar) end() {
	if b.live {
		fmt.Fprintln(b.out)
	}
}
