package load

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Ledger is a file of every message that was acknowledged, so that they can be
// looked for where they should be. A name that ends in .csv gives the columns
// device,boot,seq; any other JSON lines:
//
//	{"device":"LD-000001","boot":"a1b2c3d4","seq":17}
//
// A message that was sent and not acknowledged stands nowhere: it may have
// arrived or not.
type Ledger struct {
	csv bool
	err error

	mu   sync.Mutex
	file *os.File      // guarded by mu
	buf  *bufio.Writer // guarded by mu
}

// CreateLedger makes the file.
func CreateLedger(path string) (*Ledger, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{csv: strings.HasSuffix(path, ".csv"), file: f, buf: bufio.NewWriterSize(f, 256<<10)}
	if l.csv {
		_, l.err = l.buf.WriteString("device,boot,seq\n")
	}
	return l, nil
}

func (l *Ledger) append(b []byte, device, boot string, seq uint64) []byte {
	if l.csv {
		b = append(append(append(b, device...), ','), boot...)
		return append(strconv.AppendUint(append(b, ','), seq, 10), '\n')
	}
	b = append(append(b, `{"device":"`...), device...)
	b = append(append(b, `","boot":"`...), boot...)
	return append(strconv.AppendUint(append(b, `","seq":`...), seq, 10), '}', '\n')
}

// write takes whole lines.
func (l *Ledger) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.buf.Write(lines); l.err == nil {
		l.err = err
	}
}

// Close says whether every line has been written.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(l.err, l.buf.Flush(), l.file.Close()); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}
