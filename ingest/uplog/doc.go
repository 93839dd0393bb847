// Package uplog is the durable log between the sources and everything else. An
// uplink is acknowledged when the frame that holds it has been fsynced, and is
// read from here by the store and by the rules, each at its own pace.
//
// A partition is one JetStream stream, one writer goroutine and one order. The
// writer seals what has gathered while the previous frame was being fsynced
// (natural group commit: no fixed delay), at most [MaxFrameBytes] or
// [MaxFrameRecords], publishes it, and calls the ackers of its records. A
// partition that is idle gets an empty frame a second, which tells the time.
//
// When the log is full (its bytes, or the disk's reserve) the frame is kept and
// tried again: Append blocks, nothing is acknowledged, nothing is dropped, and
// [Log.Health] says why.
//
// # Frame, version 1
//
// All integers little endian; uvarint as in encoding/binary.
//
//	offset  bytes  what
//	0       4      "LMPF"
//	4       1      version, 1
//	5       3      zero
//	8       8      wall clock when sealed, Unix ms; never runs back within a partition
//	16      4      number of records
//	20      4      CRC-32C of bytes 0–19 and of all bytes from 24
//	24      …      the records, one after the other
//
// # Record
//
//	1        type: devices.ItemType
//	1        devices.UplinkFlags
//	2        packet id
//	8        received, Unix ms
//	uvarint + bytes   device   (at most 64)
//	uvarint + bytes   topic    (at most 64 KB)
//	uvarint + bytes   source
//	uvarint + bytes   payload, or the control text
package uplog
