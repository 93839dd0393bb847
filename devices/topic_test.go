package devices

import (
	"strings"
	"testing"
)

func TestTopicsOfTheProtocol(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Topic
		ok   bool
	}{
		{"f/1/MH-1/telemetry", Topic{Device: "MH-1", Leaf: "telemetry"}, true},
		{"f/1/MH-1/cmd/reply", Topic{Device: "MH-1", Leaf: "cmd/reply"}, true},
		{"f/1/gw/child/a:b.c_d-e/event", Topic{Gateway: "gw", Device: "a:b.c_d-e", Leaf: "event"}, true},
		{"f/1/child/child/child/raw", Topic{Gateway: "child", Device: "child", Leaf: "raw"}, true},
		{"f/2/MH-1/telemetry", Topic{}, false},
		{"f/1//telemetry", Topic{}, false},
		{"f/1/MH-1", Topic{}, false},
		{"f/1/MH-1/telemetry/", Topic{}, false},
		{"f/1/MH+1/telemetry", Topic{}, false},
		{"f/1/gw/child/a/b/telemetry", Topic{}, false},
		{"f/1/" + strings.Repeat("x", 65) + "/telemetry", Topic{}, false},
	} {
		if got, ok := ParseTopic(c.in); got != c.want || ok != c.ok {
			t.Errorf("ParseTopic(%q) = %+v, %v; want %+v, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func FuzzTopicRoundTrip(f *testing.F) {
	f.Add("f/1/MH-1/telemetry")
	f.Add("f/1/gw/child/a/time/reply")
	f.Add("f/1/a/child/b")
	f.Fuzz(func(t *testing.T, s string) {
		topic, ok := ParseTopic(s)
		if !ok {
			return
		}
		if got := topic.String(); got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
		if _, err := ParseDeviceID(string(topic.Device)); err != nil {
			t.Fatal(err)
		}
	})
}
