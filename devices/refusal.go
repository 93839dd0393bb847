package devices

import (
	"errors"
	"fmt"
)

// Code is the machine-readable reason of a refusal, as sent to the device on
// f/1/{d}/error and listed in quarantine.
type Code string

// The codes of PROTOCOL version 1.
const (
	CodeJSON  Code = "E_JSON"  // not JSON, or JSON beyond the limits of depth and duplicate keys
	CodeField Code = "E_FIELD" // a field has the wrong type or value
	CodeUnit  Code = "E_UNIT"  // a unit that the channel cannot have
	CodeTime  Code = "E_TIME"  // no time can be resolved
	CodeDup   Code = "E_DUP"   // seen before
	CodeCodec Code = "E_CODEC" // no codec for this topic or payload
	CodeIdent Code = "E_IDENT" // the topic belongs to somebody else, or the device is not in the census
	CodeSize  Code = "E_SIZE"  // over a limit of bytes or readings
	CodeRate  Code = "E_RATE"  // too many messages
	CodeStore Code = "E_STORE" // the time-series store refused the line
)

// Refusal says why an uplink was not taken: it implements error.
type Refusal struct {
	Code Code
	Path string // JSON pointer to the culprit, "" for the whole message
	Msg  string // what was found and what is wanted, in English
	Seq  uint64 // the message's sequence number if it could be read
}

// Error is the code, the path and the message on one line.
func (r *Refusal) Error() string {
	if r.Path == "" {
		return fmt.Sprintf("%s: %s", r.Code, r.Msg)
	}
	return fmt.Sprintf("%s at %s: %s", r.Code, r.Path, r.Msg)
}

// The kinds of error that a caller may have to tell apart; wrap them with %w.
var (
	ErrNotFound  = errors.New("not found")
	ErrConflict  = errors.New("conflict")
	ErrInvalid   = errors.New("invalid")
	ErrForbidden = errors.New("forbidden")
	ErrFull      = errors.New("full")      // the log has no room: try again later, nothing was taken
	ErrFenced    = errors.New("fenced")    // another daemon has taken the partition over
	ErrTemporary = errors.New("temporary") // try again later
)
