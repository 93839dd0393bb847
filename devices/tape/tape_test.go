package tape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lamplighter/devices"
	"lamplighter/devices/devicestest"
)

func write(t interface{ Fatal(...any) }, begin, end int64, rs []Record) []byte {
	var b bytes.Buffer
	w, err := NewWriter(&b, begin)
	for i := 0; i < len(rs) && err == nil; i++ {
		err = w.Write(&rs[i])
	}
	if err == nil {
		err = w.Close(end)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read reads a tape to its end; until is what the last block said.
func read(b []byte) (rs []Record, until int64, err error) {
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, 0, err
	}
	for {
		x, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rs, until, nil
		}
		if err != nil {
			return rs, until, err
		}
		for i := range x.Records {
			if x.Records[i].Uplink.Received <= until && until > 0 {
				return rs, until, fmt.Errorf("a record of %d after a block that told up to %d", x.Records[i].Uplink.Received, until)
			}
		}
		rs, until = append(rs, x.Records...), x.Until
	}
}

func some(n int) []Record {
	var rs []Record
	for i := range n {
		r := Record{Type: devices.ItemUplink, Uplink: devices.Uplink{Device: devices.DeviceID(fmt.Sprint("SL-", i%50)), Topic: "f/1/SL/telemetry",
			Payload: fmt.Appendf(nil, `{"power_w":%d.%d}`, i, i%7), Received: 1000 + int64(i/3)*40, Flags: devices.FlagQoS1}}
		if i%1000 == 0 {
			r = Record{Type: devices.ItemCensus, Uplink: devices.Uplink{Received: r.Uplink.Received}, Control: []byte("[]")}
		}
		rs = append(rs, r)
	}
	return rs
}

func TestWhatIsRecordedIsRead(t *testing.T) {
	devicestest.FewerChecks(t, 20)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12_000).Draw(t, "records")
		rs := some(n)
		got, until, err := read(write(t, 1000, 9_000_000, rs))
		if err != nil || len(got) != n || until != 9_000_000 {
			t.Fatalf("%d records up to %d, %v; want %d", len(got), until, err, n)
		}
		for i := range got {
			if fmt.Sprint(got[i]) != fmt.Sprint(rs[i]) {
				t.Fatalf("record %d: %v, want %v", i, got[i], rs[i])
			}
		}
	})
}

func TestRecordsComeInTheOrderOfTime(t *testing.T) {
	w, err := NewWriter(io.Discard, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(&Record{Type: devices.ItemUplink, Uplink: devices.Uplink{Received: 999}}); !errors.Is(err, devices.ErrInvalid) {
		t.Errorf("a record from before the beginning: %v", err)
	}
}

// Whatever byte of a tape is changed or wherever it is cut, that is told, with
// the place; and nothing wrong is read before it.
func TestADamagedTapeIsToldWithItsPlace(t *testing.T) {
	devicestest.FewerChecks(t, 20)
	rs := some(3000)
	good := write(t, 1000, 2_000_000, rs)
	rapid.Check(t, func(t *rapid.T) {
		bad := bytes.Clone(good)
		if i := rapid.IntRange(0, len(bad)-1).Draw(t, "byte"); rapid.Bool().Draw(t, "cut") {
			bad = bad[:i]
		} else {
			bad[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		}
		got, _, err := read(bad)
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, devices.ErrInvalid) {
			t.Fatalf("read without an error: %v", err)
		}
		for i := range got {
			if fmt.Sprint(got[i]) != fmt.Sprint(rs[i]) {
				t.Fatalf("record %d: %v, want %v", i, got[i], rs[i])
			}
		}
	})
	for what, x := range map[string]struct {
		b    []byte
		want string
	}{
		"cut":            {good[:len(good)-5], fmt.Sprintf("the file ends at byte %d", len(good)-5)},
		"empty":          {nil, "the file ends at byte 0"},
		"something else": {[]byte("id,kind,name,component,and more\n"), `it begins with "id,k", want "LMPT"`},
		"damaged":        {append(append(bytes.Clone(good[:100]), good[100]^1), good[101:]...), "the block at byte 20: its sum is"},
	} {
		if _, _, err := read(x.b); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", what, err, x.want)
		}
	}
}

func TestANewerVersionIsToldAsSuch(t *testing.T) {
	b := write(t, 1000, 2000, nil)
	b[4] = 2
	s := sum(b[:16])
	b[16], b[17], b[18], b[19] = byte(s), byte(s>>8), byte(s>>16), byte(s>>24)
	if _, _, err := read(b); err == nil || !strings.Contains(err.Error(), "version 2, this program reads version 1") {
		t.Errorf("%v", err)
	}
}
