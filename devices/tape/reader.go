package tape

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/klauspost/compress/zstd"

	"lamplighter/devices"
)

// Reader reads a tape. It belongs to one goroutine; what it returns does not.
type Reader struct {
	in     io.Reader
	unpack *zstd.Decoder
	begin  int64
	last   int64 // when the newest record was received
	at     int64 // bytes read
	done   bool
	packed []byte // memory
}

// NewReader reads the head of a tape.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: in}
	var head [headLen]byte
	if err := r.fill(head[:]); err != nil {
		return nil, fmt.Errorf("the head of %d bytes: %w", headLen, err)
	}
	if [4]byte(head[:4]) != headMagic {
		return nil, fmt.Errorf("it begins with %q, want %q; was it written by simulators record? %w", head[:4], headMagic[:], ErrDamaged)
	}
	if got, want := sum(head[:16]), binary.LittleEndian.Uint32(head[16:]); got != want {
		return nil, fmt.Errorf("the head at byte 0: its sum is %08x, want %08x: %w", got, want, ErrDamaged)
	}
	if head[4] != version {
		return nil, fmt.Errorf("the recording has version %d, this program reads version %d; use the program that wrote it or a newer one: %w", head[4], version, devices.ErrInvalid)
	}
	r.begin = int64(binary.LittleEndian.Uint64(head[8:]))
	r.last = r.begin
	var err error
	if r.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock)); err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	return r, nil
}

// Begin is when the recording begins, Unix ms.
func (r *Reader) Begin() int64 { return r.begin }

// Next is the next block, of memory of its own; io.EOF after the last one, and
// [ErrDamaged] with the offset when the file is not whole. The last block has no
// records.
func (r *Reader) Next() (*Block, error) {
	if r.done {
		return nil, io.EOF
	}
	at := r.at
	b, err := r.block()
	if err != nil {
		return nil, fmt.Errorf("the block at byte %d: %w", at, err)
	}
	return b, nil
}

func (r *Reader) block() (*Block, error) {
	var h [blockLen]byte
	if err := r.fill(h[:]); err != nil {
		return nil, err
	}
	if [4]byte(h[:4]) != blockMagic {
		return nil, fmt.Errorf("it begins with %q, want %q: %w", h[:4], blockMagic[:], ErrDamaged)
	}
	count, until := binary.LittleEndian.Uint32(h[4:]), int64(binary.LittleEndian.Uint64(h[8:]))
	packed, size := binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[20:])
	if packed > 2*maxBlock || size > maxBlock {
		return nil, fmt.Errorf("it claims %d bytes, packed %d; at most %d are allowed: %w", size, packed, maxBlock, ErrDamaged)
	}
	r.packed = append(r.packed[:0], make([]byte, packed)...)
	if err := r.fill(r.packed); err != nil {
		return nil, err
	}
	if got, want := sum(h[:24], r.packed), binary.LittleEndian.Uint32(h[24:]); got != want {
		return nil, fmt.Errorf("its sum is %08x, want %08x: %w", got, want, ErrDamaged)
	}
	b := &Block{Until: until}
	if count == 0 && packed == 0 {
		r.done = true
		return b, nil
	}
	body, err := r.unpack.DecodeAll(r.packed, make([]byte, 0, size))
	if err != nil || len(body) != int(size) {
		return nil, fmt.Errorf("%d bytes were unpacked, want %d: %w", len(body), size, errors.Join(ErrDamaged, err))
	}
	return b, r.records(b, body, int(count))
}

// records reads the records of a block; their texts lie in body, which nobody
// changes.
func (r *Reader) records(b *Block, body []byte, count int) error {
	c := cursor{b: body}
	b.Records = make([]Record, 0, min(count, len(body)/6+1))
	for i := range count {
		var x Record
		r.last += int64(c.uvarint())
		x.Uplink.Received = r.last
		x.Type, x.Uplink.Flags = devices.ItemType(c.byte()), devices.UplinkFlags(c.byte())
		x.Uplink.Device, x.Uplink.Topic = devices.DeviceID(text(c.bytes())), text(c.bytes())
		if p := c.bytes(); x.Type == devices.ItemUplink {
			x.Uplink.Payload = p
		} else {
			x.Control = p
		}
		if c.bad {
			return fmt.Errorf("record %d: cut short: %w", i, ErrDamaged)
		}
		b.Records = append(b.Records, x)
	}
	if len(c.b) > 0 {
		return fmt.Errorf("%d bytes after the last record: %w", len(c.b), ErrDamaged)
	}
	return nil
}

// fill reads all of b.
func (r *Reader) fill(b []byte) error {
	n, err := io.ReadFull(r.in, b)
	r.at += int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends at byte %d, before its last block: it was cut, or is still being written: %w", r.at, ErrDamaged)
	}
	return err
}

// cursor reads from b; bad is set when it ends too soon.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) uvarint() uint64 {
	n, w := binary.Uvarint(c.b)
	if w <= 0 {
		c.bad = true
		return 0
	}
	c.b = c.b[w:]
	return n
}

func (c *cursor) byte() (x byte) {
	if len(c.b) == 0 {
		c.bad = true
		return 0
	}
	x, c.b = c.b[0], c.b[1:]
	return x
}

func (c *cursor) bytes() []byte {
	n := c.uvarint()
	if n > uint64(len(c.b)) {
		c.bad = true
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

// text is b as a string without a copy.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
