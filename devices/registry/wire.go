package registry

import (
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Fed is a change of the census as it stands in the log.
type Fed struct {
	Facility Facility `json:"facility" cbor:"1,keyasint"`
	Gone     bool     `json:"gone,omitempty" cbor:"2,keyasint,omitempty"`
	// Moved says that the facility may have been judged in another partition
	// before, and that tickets of its may be open that this one knows nothing of.
	Moved bool `json:"moved,omitempty" cbor:"3,keyasint,omitempty"`
}

// EncodeFed writes changes for the log: a CBOR array of maps with the numbers of
// Facility's fields as keys. What is empty does not stand there, nor does a
// device that bears its facility's name. The same changes give the same bytes.
func EncodeFed(fs []Fed) ([]byte, error) {
	for i := range fs {
		if f := &fs[i].Facility; string(f.Device) == string(f.ID) {
			f.Device = ""
		}
	}
	var b []byte
	mode, err := cbor.EncOptions{Sort: cbor.SortBytewiseLexical}.EncMode() // limits are a map
	if err == nil {
		b, err = mode.Marshal(fs)
	}
	if err != nil {
		return nil, fmt.Errorf("write census changes: %w", err)
	}
	return b, nil
}

// DecodeFed reads what EncodeFed wrote, or the same as a JSON array, which is
// what daemons before wrote and what people can.
func DecodeFed(b []byte) ([]Fed, error) {
	var fs []Fed
	var err error
	if len(b) > 0 && b[0] == '[' { // in CBOR a byte string: never an array
		err = json.Unmarshal(b, &fs)
	} else {
		err = cbor.Unmarshal(b, &fs)
	}
	if err != nil {
		return nil, fmt.Errorf("read census changes: %w", err)
	}
	for i := range fs {
		if f := &fs[i].Facility; f.Device == "" && !fs[i].Gone {
			f.Device = deviceNamed(f.ID)
		}
	}
	return fs, nil
}
