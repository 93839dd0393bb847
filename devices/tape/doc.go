// Package tape is a recorded part of the log as one file: records with the
// instants at which they were received, packed, in the order of time. The
// simulators write a month of a city that never was; the rules judge it again in
// minutes. It holds no frames and no partitions: who plays a tape makes those,
// as the daemon would have.
//
// # File, version 1
//
// All integers little endian; uvarint as in encoding/binary. The head is
//
//	offset  bytes  what
//	0       4      "LMPT"
//	4       1      version, 1
//	5       3      zero
//	8       8      when the recording begins, Unix ms
//	16      4      CRC-32C of bytes 0–15
//
// and blocks follow:
//
//	offset  bytes  what
//	0       4      "LMPB"
//	4       4      number of records
//	8       8      up to when the block tells, Unix ms: whatever was received by then
//	               stands in it or before it
//	16      4      bytes of the packed records
//	20      4      bytes of the records unpacked, at most 16 MB
//	24      4      CRC-32C of bytes 0–23 and of the packed records
//	28      …      the records, one zstd frame (RFC 8878)
//
// The last block has no records and no bytes; its instant is the end of the
// recording. A file without it has been cut.
//
// # Record
//
//	uvarint           ms received after the record before; the first of a file, after its beginning
//	1                 type: devices.ItemType
//	1                 devices.UplinkFlags
//	uvarint + bytes   device
//	uvarint + bytes   topic
//	uvarint + bytes   payload, or the control text
//
// Device and topic of a control are empty.
package tape

import (
	"errors"
	"hash/crc32"

	"lamplighter/devices"
)

const (
	version   = 1
	headLen   = 20
	blockLen  = 28
	maxBlock  = 16 << 20 // bytes unpacked that a reader takes
	fullBlock = 1 << 20  // bytes unpacked at which a writer closes a block
)

var (
	headMagic  = [4]byte{'L', 'M', 'P', 'T'}
	blockMagic = [4]byte{'L', 'M', 'P', 'B'}
)

// ErrDamaged is wrapped by every error about a file that is no whole tape.
var ErrDamaged = errors.New("the recording is damaged")

// Record is one record of the log. Uplink.Received is when it was received, of a
// control too; Uplink.Source and PacketID are not recorded.
type Record struct {
	Type    devices.ItemType
	Uplink  devices.Uplink
	Control []byte // of what is no uplink
}

// Block is some records in the order of time.
type Block struct {
	Records []Record
	Until   int64 // Unix ms: nothing that was received by then comes later
}

func sum(parts ...[]byte) uint32 {
	t, s := crc32.MakeTable(crc32.Castagnoli), uint32(0)
	for _, p := range parts {
		s = crc32.Update(s, t, p)
	}
	return s
}
