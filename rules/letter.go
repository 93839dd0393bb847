package rules

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"lamplighter/devices"
)

// Letter is what a partition has to tell others. It goes through their log, so
// that a replay reads it where it was read. It may come twice.
type Letter struct {
	Key    string // for the partition of this key, see registry.Facility.Key; "" = for all
	Type   devices.ItemType
	Record []byte
}

// IsLetter tells the types of the items that are letters of the rules.
func IsLetter(t devices.ItemType) bool {
	return t == devices.ItemStanding || t == devices.ItemShare || t == devices.ItemCause
}

// post sends a record in CBOR when the frame has been judged.
func (e *Engine) post(key string, t devices.ItemType, record any) error {
	b, err := cbor.Marshal(record)
	if err != nil {
		return fmt.Errorf("letter to the partition of %q: %w", key, err)
	}
	e.found.Letters = append(e.found.Letters, Letter{key, t, b})
	return nil
}
