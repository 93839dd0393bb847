package uplog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

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

// Frame is one durable frame as a reader sees it.
type Frame struct {
	Partition int
	Seq       uint64
	Wall      int64
	Count     int
	body      []byte
}

// ErrCorrupt is wrapped by every error about a frame that cannot be read.
var ErrCorrupt = errors.New("corrupt frame")

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

// openFrame checks header and checksum.
func openFrame(partition int, seq uint64, b []byte) (*Frame, error) {
	if len(b) < headerLen || [4]byte(b[:4]) != magic {
		return nil, fmt.Errorf("partition %d frame %d: no LMPF header in %d bytes: %w", partition, seq, len(b), ErrCorrupt)
	}
	if b[4] != version {
		return nil, fmt.Errorf("partition %d frame %d: version %d, this daemon reads version %d: %w", partition, seq, b[4], version, ErrCorrupt)
	}
	if got, want := checksum(b), binary.LittleEndian.Uint32(b[20:]); got != want {
		return nil, fmt.Errorf("partition %d frame %d: checksum %08x, want %08x: %w", partition, seq, got, want, ErrCorrupt)
	}
	return &Frame{
		Partition: partition, Seq: seq,
		Wall:  int64(binary.LittleEndian.Uint64(b[8:])),
		Count: int(binary.LittleEndian.Uint32(b[16:])),
		body:  b[headerLen:],
	}, nil
}

// Each calls fn with every record in order. Strings and payload alias the
// frame, which never changes.
func (f *Frame) Each(fn func(*Record) error) error {
	rd := reader{b: f.body}
	var r Record
	for i := range f.Count {
		rd.record(&r)
		if rd.bad {
			return fmt.Errorf("partition %d frame %d record %d: cut short: %w", f.Partition, f.Seq, i, ErrCorrupt)
		}
		if err := fn(&r); err != nil {
			return err
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
