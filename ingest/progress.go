package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress is a file that is read, with a bar on a terminal and a line now and
// then elsewhere. What takes less than a second shows nothing.
type progress struct {
	io.ReadSeeker
	out      *os.File
	name     string
	size, at int64
	began    time.Time
	told     time.Time
	terminal bool
}

func newProgress(out *os.File, in io.ReadSeeker, size int64, name string) *progress {
	p := &progress{ReadSeeker: in, out: out, name: name, size: max(size, 1), began: time.Now(), told: time.Now()}
	if st, err := out.Stat(); err == nil {
		p.terminal = st.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// Read reads, and shows how far it has come.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.ReadSeeker.Read(b)
	p.at += int64(n)
	every := 10 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	if time.Since(p.told) >= every && time.Since(p.began) > time.Second {
		p.told = time.Now()
		p.show()
	}
	return n, err
}

// Seek begins anew: a file is read once to see its encoding.
func (p *progress) Seek(offset int64, whence int) (int64, error) {
	n, err := p.ReadSeeker.Seek(offset, whence)
	p.at = n
	return n, err
}

func (p *progress) show() {
	done := min(100, p.at*100/p.size)
	if p.terminal {
		const width = 40
		full := int(done) * width / 100
		fmt.Fprintf(p.out, "\r%s [%s%s] %3d %%", p.name, strings.Repeat("#", full), strings.Repeat(".", width-full), done)
		return
	}
	fmt.Fprintf(p.out, "%s: %d %% read\n", p.name, done)
}

// end makes room for what is said next.
func (p *progress) end() {
	if p.terminal && p.told != p.began && time.Since(p.began) > time.Second {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
