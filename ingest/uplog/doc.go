// Package uplog is the durable log between the sources and everything else. An
// uplink is acknowledged when the frame that holds it has been fsynced, and is
// read from here by the store and by the rules, each at its own pace.
//
// A partition is one JetStream stream, one writer goroutine and one order. The
// writer seals what has gathered while the previous frame was being fsynced
// (natural group commit), at most [MaxFrameBytes] or [MaxFrameRecords], publishes
// it, and calls the ackers of its records. After a pause the first record waits
// for nobody; from then on a frame that is not full begins 20 ms after the one
// before it, so that a steady stream costs 50 fsyncs a second and not a
// thousand: each of them is also a round through all that follows. When nothing
// has come for 2 ms it does not wait for more: a sender with a small window may
// be waiting for its acknowledgement. A partition that is idle gets an empty
// frame a second, which tells the time.
//
// Readers at the tail are served from memory (16 MB of frames a partition);
// the past is asked from the server, a batch at a time.
//
// # When there is no room
//
// When the log is full (its bytes, or the disk's reserve) frames that every
// consumer has passed ([Log.Passed]) are given up, oldest first. If there are
// none, the frame is kept and tried again: Append blocks, nothing is
// acknowledged, nothing is dropped, and [Log.Health] says why. Empty frames
// never go into the last of the room. Whatever is older than MaxAge goes,
// consumed or not.
//
// The reserve is looked at before each write, because a server that meets the
// end of the disk answers nobody and never writes again. If that happens all
// the same, it is started anew when there is room. A frame is published with
// the sequence number that it must follow, so that one whose acknowledgement
// was lost is found and not written twice.
//
// The embedded server does not lock its folder: one daemon per folder. In a
// cluster several daemons may write to one partition; their frames take turns
// and the wall clock still never runs back.
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
