package uplog

import (
	"encoding/hex"
	"strings"
	"testing"

	"lamplighter/devices"
)

// The bytes of doc.go, so that a frame of today is read for ever.
const golden = "4c4d5046" + "01000000" + "e1020395b8010000" + "02000000" + "755be54e" +
	"01" + "03" + "2a00" + "6400000000000000" + "044d482d31" + "12662f312f4d482d312f74656c656d65747279" + "086c697374656e6572" + "027b7d" +
	"03" + "00" + "0000" + "0000000000000000" + "00" + "00" + "00" + "0372756c"

func TestFrameIsWrittenAsDocumented(t *testing.T) {
	d := &draft{buf: make([]byte, headerLen)}
	d.add(&Record{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: "MH-1", Topic: "f/1/MH-1/telemetry", Source: "listener", PacketID: 42, Received: 100, Flags: devices.FlagQoS1 | devices.FlagQoS2, Payload: []byte("{}")}}, nil)
	d.add(&Record{Type: devices.ItemRuleSet, Control: []byte("rul")}, nil)
	seal(d.buf, 0x1b8950302e1, d.count)
	if got := hex.EncodeToString(d.buf); got != golden {
		t.Fatalf("frame\n%s, want\n%s", got, golden)
	}
}

func TestSizeIsWhatARecordTakes(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 1 << 21} {
		r := Record{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: "d", Topic: strings.Repeat("t", n), Payload: make([]byte, n)}}
		if got := len(appendRecord(nil, &r)); got != r.size() {
			t.Errorf("%d bytes take %d, size says %d", n, got, r.size())
		}
	}
}
