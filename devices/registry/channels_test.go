package registry

import (
	"context"
	"testing"
	"time"

	"lamplighter/devices"
)

func TestAChannelMetInTheFieldKeepsItsTypeForEver(t *testing.T) {
	r := open(t)
	dict, err := devices.NewDictionary(devices.CommonChannels())
	if err != nil {
		t.Fatal(err)
	}
	dict.Learn("radon_bq", devices.Number)
	dict.Learn("mode", devices.Text)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := r.keepChannels(ctx, dict, 0); err != nil {
		t.Fatal(err)
	}
	after, err := devices.NewDictionary(devices.CommonChannels())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.RecallChannels(ctx, after); err != nil {
		t.Fatal(err)
	}
	if c := after.Learn("radon_bq", devices.Text); c.Type != devices.Number || !c.Unknown {
		t.Errorf("radon_bq is %s now, was a number", c.Type)
	}
	if c := after.Lookup([]byte("mode")); c == nil || c.Type != devices.Text {
		t.Errorf("mode is %+v, was a text", c)
	}
}
