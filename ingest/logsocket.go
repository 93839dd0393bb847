package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"lamplighter/ingest/uplog"
)

// A running daemon has its log for itself. Tools that run beside it read the
// past on a socket in the data folder, which is its owner's alone. Whoever
// connects is told
//
//	"LMPL", 1 byte: version, 2; uint16: partitions
//	of each frame, in the order of their walls:
//	  uint16 partition, uint64 number, uint32 bytes, the frame (see package uplog)
//	uint16 0xFFFF: this was all
//
// all little endian, and the connection ends.
const (
	logSocket  = "log.sock"
	logMagic   = "LMPL\x02"
	logEnd     = 0xFFFF
	logPatient = time.Minute // for whoever reads
	maxFrame   = 16 << 20
)

// serveLog lets tools read the log until ctx ends.
func (a *app) serveLog() error {
	path := filepath.Join(a.data, logSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("socket of the log: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil { // the path may be too long: no reason not to start
		a.log.Warn().Err(err).Msg("rules replay cannot read the log while this daemon runs")
		return nil
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("socket of the log: %w", err), l.Close())
	}
	a.background("socket of the log", func(ctx context.Context) {
		stop := context.AfterFunc(ctx, func() { _ = l.Close() })
		defer stop()
		for {
			c, err := l.Accept()
			if err != nil {
				if ctx.Err() == nil {
					a.log.Error().Err(err).Msg("socket of the log")
				}
				return
			}
			if err := a.tellLog(ctx, c); err != nil && ctx.Err() == nil { // one after the other: it is read seldom
				a.log.Warn().Err(err).Msg("the log was not told to its end")
			}
		}
	})
	return nil
}

// tellLog writes the whole log and closes the connection.
func (a *app) tellLog(ctx context.Context, c net.Conn) error {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	w := bufio.NewWriterSize(c, 1<<16)
	head := binary.LittleEndian.AppendUint16([]byte(logMagic), uint16(a.uplog.Partitions()))
	_, err := w.Write(head)
	if err == nil {
		err = inOrder(ctx, a.uplog, func(f *uplog.Frame) error {
			if err := c.SetWriteDeadline(time.Now().Add(logPatient)); err != nil {
				return err
			}
			b := binary.LittleEndian.AppendUint16(nil, uint16(f.Partition))
			b = binary.LittleEndian.AppendUint64(b, f.Seq)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Bytes())))
			_, errHead := w.Write(b)
			_, errBody := w.Write(f.Bytes())
			return errors.Join(errHead, errBody)
		})
	}
	if err == nil {
		_, err = w.Write([]byte{logEnd & 0xFF, logEnd >> 8})
	}
	return errors.Join(err, w.Flush())
}

// toldLog is the log of a running daemon, read once.
type toldLog struct {
	c          net.Conn
	r          *bufio.Reader
	partitions int
}

// askLog connects to the daemon of a data folder.
func askLog(data string) (*toldLog, error) {
	c, err := net.Dial("unix", filepath.Join(data, logSocket))
	if err != nil {
		return nil, err
	}
	t := &toldLog{c: c, r: bufio.NewReaderSize(c, 1<<16)}
	head := make([]byte, len(logMagic)+2)
	if _, err := io.ReadFull(t.r, head); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if string(head[:len(logMagic)]) != logMagic {
		return nil, errors.Join(fmt.Errorf("the daemon answers %q, want %q; is it of another version?", head[:len(logMagic)], logMagic), c.Close())
	}
	t.partitions = int(binary.LittleEndian.Uint16(head[len(logMagic):]))
	return t, nil
}

func (t *toldLog) count() int { return t.partitions }

func (t *toldLog) close() { _ = t.c.Close() }

// each calls fn with every frame, in the order of their walls.
func (t *toldLog) each(ctx context.Context, fn func(*uplog.Frame) error) error {
	stop := context.AfterFunc(ctx, func() { _ = t.c.Close() })
	defer stop()
	for {
		f, err := t.next()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("the log of the running daemon: %w", err)
		case f == nil:
			return nil
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

// next is the next frame, nil at the end.
func (t *toldLog) next() (*uplog.Frame, error) {
	var head [14]byte
	if _, err := io.ReadFull(t.r, head[:2]); err != nil {
		return nil, fmt.Errorf("it broke off; is it stopping? %w", err)
	}
	p := binary.LittleEndian.Uint16(head[:])
	if p == logEnd {
		return nil, nil
	}
	if _, err := io.ReadFull(t.r, head[2:]); err != nil {
		return nil, fmt.Errorf("it broke off; is it stopping? %w", err)
	}
	n := binary.LittleEndian.Uint32(head[10:])
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes, at most %d are possible", n, maxFrame)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(t.r, b); err != nil {
		return nil, fmt.Errorf("it broke off; is it stopping? %w", err)
	}
	return uplog.ParseFrame(int(p), binary.LittleEndian.Uint64(head[2:]), b)
}
