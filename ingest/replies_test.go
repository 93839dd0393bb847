package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"lamplighter/devices"
)

// downlinks keeps what is published to devices.
type downlinks struct{ got []devices.Downlink }

func (d *downlinks) Publish(l devices.Downlink) error {
	d.got = append(d.got, l)
	return nil
}

// TestEveryReasonLeadsToItsPage opens the page that a refused device is given.
func TestEveryReasonLeadsToItsPage(t *testing.T) {
	for _, code := range []devices.Code{devices.CodeJSON, devices.CodeField, devices.CodeUnit, devices.CodeTime, devices.CodeDup, devices.CodeCodec, devices.CodeIdent, devices.CodeSize, devices.CodeRate, devices.CodeStore} {
		var way downlinks
		r := newReplies(zerolog.Nop())
		r.through(&way)
		r.Refused("MH-1", &devices.Refusal{Code: code, Msg: "why"})
		if len(way.got) != 1 || way.got[0].Topic != "f/1/MH-1/error" {
			t.Fatalf("%s: told %+v", code, way.got)
		}
		var said struct{ Code, Doc string }
		if err := json.Unmarshal(way.got[0].Payload, &said); err != nil || said.Code != string(code) {
			t.Fatalf("%s: %v: %s", code, err, way.got[0].Payload)
		}
		page, anchor, _ := strings.Cut(said.Doc, "#")
		text, err := os.ReadFile("../" + page)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), `<a id="`+anchor+`"></a>`+"`"+string(code)+"`") {
			t.Errorf("%s has no place %q", page, anchor)
		}
	}
}
