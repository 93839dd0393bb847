package tape

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"lamplighter/devices"
)

// Writer writes a tape. It belongs to one goroutine.
type Writer struct {
	out    io.Writer
	pack   *zstd.Encoder
	buf    []byte // records that were not packed yet
	packed []byte // memory
	count  uint32
	last   int64 // when the newest record was received
}

// NewWriter begins a tape at an instant, Unix ms.
func NewWriter(out io.Writer, begin int64) (*Writer, error) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	head := make([]byte, 0, headLen)
	head = append(head, headMagic[:]...)
	head = append(head, version, 0, 0, 0)
	head = binary.LittleEndian.AppendUint64(head, uint64(begin))
	head = binary.LittleEndian.AppendUint32(head, sum(head))
	if _, err := out.Write(head); err != nil {
		return nil, fmt.Errorf("begin recording: %w", err)
	}
	return &Writer{out: out, pack: pack, last: begin}, nil
}

// Write adds a record, which is copied. Records come in the order in which they
// were received.
func (w *Writer) Write(r *Record) error {
	u := &r.Uplink
	if u.Received < w.last {
		return fmt.Errorf("record: it was received at %d, and the one before at %d: %w", u.Received, w.last, devices.ErrInvalid)
	}
	payload := u.Payload
	if r.Type != devices.ItemUplink {
		payload = r.Control
	}
	if len(w.buf) > 0 && len(w.buf)+len(payload)+len(u.Topic)+len(u.Device) > fullBlock {
		if err := w.flush(w.last); err != nil {
			return err
		}
	}
	w.buf = binary.AppendUvarint(w.buf, uint64(u.Received-w.last))
	w.buf = append(w.buf, byte(r.Type), byte(u.Flags))
	w.buf = appendText(w.buf, string(u.Device))
	w.buf = appendText(w.buf, u.Topic)
	w.buf = binary.AppendUvarint(w.buf, uint64(len(payload)))
	w.buf = append(w.buf, payload...)
	if len(w.buf) > maxBlock {
		return fmt.Errorf("record: %d bytes, at most %d fit: %w", len(w.buf), maxBlock, devices.ErrInvalid)
	}
	w.last = u.Received
	w.count++
	return nil
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// flush writes what has gathered as a block that tells up to an instant. A
// record of the same millisecond may follow in the next one, so it tells a
// millisecond less.
func (w *Writer) flush(until int64) error {
	w.packed = w.packed[:0]
	if w.count > 0 {
		w.packed = w.pack.EncodeAll(w.buf, w.packed)
		until--
	}
	head := make([]byte, 0, blockLen)
	head = append(head, blockMagic[:]...)
	head = binary.LittleEndian.AppendUint32(head, w.count)
	head = binary.LittleEndian.AppendUint64(head, uint64(until))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(w.packed)))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(w.buf)))
	head = binary.LittleEndian.AppendUint32(head, sum(head, w.packed))
	w.buf, w.count = w.buf[:0], 0
	for _, part := range [][]byte{head, w.packed} {
		if _, err := w.out.Write(part); err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	return nil
}

// Close ends the recording at an instant, Unix ms. It does not close the file.
func (w *Writer) Close(end int64) error {
	if w.count > 0 {
		if err := w.flush(w.last); err != nil {
			return err
		}
	}
	return w.flush(max(end, w.last))
}
