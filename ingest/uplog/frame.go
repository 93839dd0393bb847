package uplog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"math/bits"

	"lamplighter/devices"
)

// The bounds of a frame. A single record may be larger than MaxFrameBytes and
// then has a frame of its own.
const (
	MaxFrameBytes   = 256 << 10
	MaxFrameRecords = 1000

	headerLen = 24
	version   = 1
)

var magic = [4]byte{'L', 'M', 'P', 'F'}

// Record is one entry of a frame: an uplink, or a control text.
type Record struct {
	Type    devices.ItemType
	Uplink  devices.Uplink
	Control []byte
}

// size is how many bytes the record takes in a frame.
func (r *Record) size() int {
	u, payload := &r.Uplink, len(r.Uplink.Payload)
	if r.Type != devices.ItemUplink {
		payload = len(r.Control)
	}
	return 12 + textSize(len(u.Device)) + textSize(len(u.Topic)) + textSize(len(u.Source)) + textSize(payload)
}

// textSize is the size of n bytes after their length as uvarint.
func textSize(n int) int { return n + 1 + (bits.Len64(uint64(n)|1)-1)/7 }

// Frame is one durable frame as a reader sees it.
type Frame struct {
	Partition int
	Seq       uint64
	Wall      int64
	Count     int
	body      []byte
	all       []byte // body and what stands before it
}

// ErrCorrupt is wrapped by every error about a frame that cannot be read.
var ErrCorrupt = errors.New("corrupt frame")

// ErrVersion is wrapped by the error about a frame of a newer daemon.
var ErrVersion = errors.New("unknown version of frame")

func appendRecord(b []byte, r *Record) []byte {
	u := &r.Uplink
	b = append(b, byte(r.Type), byte(u.Flags))
	b = binary.LittleEndian.AppendUint16(b, u.PacketID)
	b = binary.LittleEndian.AppendUint64(b, uint64(u.Received))
	b = appendText(b, string(u.Device))
	b = appendText(b, u.Topic)
	b = appendText(b, u.Source)
	payload := u.Payload
	if r.Type != devices.ItemUplink {
		payload = r.Control
	}
	b = binary.AppendUvarint(b, uint64(len(payload)))
	return append(b, payload...)
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// seal fills in the header of a frame whose records follow headerLen bytes.
func seal(b []byte, wall int64, count int) {
	copy(b, magic[:])
	b[4], b[5], b[6], b[7] = version, 0, 0, 0
	binary.LittleEndian.PutUint64(b[8:], uint64(wall))
	binary.LittleEndian.PutUint32(b[16:], uint32(count))
	binary.LittleEndian.PutUint32(b[20:], checksum(b))
}

func checksum(b []byte) uint32 {
	t := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum(b[:20], t), t, b[headerLen:])
}

// sealed tells whether b has been sealed; its wall clock then stands at 8.
func sealed(b []byte) bool { return b[4] == version }

func (d *draft) wall() int64 { return int64(binary.LittleEndian.Uint64(d.buf[8:])) }

// openFrame checks header, checksum and records.
func openFrame(partition int, seq uint64, b []byte) (*Frame, error) {
	if len(b) < headerLen || [4]byte(b[:4]) != magic {
		return nil, fmt.Errorf("partition %d frame %d: no LMPF header in %d bytes: %w", partition, seq, len(b), ErrCorrupt)
	}
	if got, want := checksum(b), binary.LittleEndian.Uint32(b[20:]); got != want {
		return nil, fmt.Errorf("partition %d frame %d: checksum %08x, want %08x: %w", partition, seq, got, want, ErrCorrupt)
	}
	if b[4] != version {
		return nil, fmt.Errorf("partition %d frame %d: version %d, this daemon reads version %d: %w", partition, seq, b[4], version, ErrVersion)
	}
	f := &Frame{}
	f.reset(partition, seq, b)
	return f, f.check()
}

// reset makes f the frame b, which is known to be good.
func (f *Frame) reset(partition int, seq uint64, b []byte) {
	*f = Frame{
		Partition: partition, Seq: seq,
		Wall:  int64(binary.LittleEndian.Uint64(b[8:])),
		Count: int(binary.LittleEndian.Uint32(b[16:])),
		body:  b[headerLen:],
		all:   b,
	}
}

// Records are the records in order. The *Record is valid until the next one is
// yielded; its strings and payload alias the frame, which never changes, and
// keep all of it in memory.
func (f *Frame) Records() iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		rd := reader{b: f.body}
		var r Record
		for range f.Count {
			if rd.record(&r); rd.bad || !yield(&r) {
				return
			}
		}
	}
}

// check walks over the records without looking at them.
func (f *Frame) check() error {
	rd := reader{b: f.body}
	for i := range f.Count {
		rd.take(12)
		for range 4 {
			rd.bytes()
		}
		if rd.bad {
			return fmt.Errorf("partition %d frame %d record %d: cut short: %w", f.Partition, f.Seq, i, ErrCorrupt)
		}
	}
	if len(rd.b) > 0 {
		return fmt.Errorf("partition %d frame %d: %d bytes after the last record: %w", f.Partition, f.Seq, len(rd.b), ErrCorrupt)
	}
	return nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) record(rec *Record) {
	h := r.take(12)
	if r.bad {
		return
	}
	*rec = Record{Type: devices.ItemType(h[0])}
	u := &rec.Uplink
	u.Flags = devices.UplinkFlags(h[1])
	u.PacketID = binary.LittleEndian.Uint16(h[2:])
	u.Received = int64(binary.LittleEndian.Uint64(h[4:]))
	u.Device = devices.DeviceID(text(r.bytes()))
	u.Topic = text(r.bytes())
	u.Source = text(r.bytes())
	if p := r.bytes(); rec.Type == devices.ItemUplink {
		u.Payload = p
	} else {
		rec.Control = p
	}
}

func (r *reader) take(n int) []byte {
	if n < 0 || len(r.b) < n {
		r.bad = true
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) bytes() []byte {
	n, w := binary.Uvarint(r.b)
	if w <= 0 || n > uint64(len(r.b)-w) {
		r.bad = true
		return nil
	}
	r.b = r.b[w:]
	return r.take(int(n))
}
