package codec

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// scanner walks JSON (RFC 8259) from left to right. Its methods report a fault
// by returning false and leaving what and where in fault and pos.
type scanner struct {
	b       []byte
	pos     int
	fault   string
	scratch []byte // of the last string that held escapes
}

func (s *scanner) reset(b []byte) { s.b, s.pos, s.fault = b, 0, "" }

func (s *scanner) fail(what string) bool {
	if s.fault == "" {
		s.fault = what
	}
	return false
}

// peek is the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.b) {
		switch c := s.b[s.pos]; c {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() == c {
		s.pos++
		return true
	}
	return false
}

// str reads a string; the bytes are valid until the next call.
func (s *scanner) str() ([]byte, bool) {
	if !s.take('"') {
		return nil, s.fail("expected a string in double quotes")
	}
	start := s.pos
	for i := start; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.pos = i + 1
			return s.b[start:i], true
		case c == '\\':
			return s.escaped(start, i)
		case c < 0x20:
			s.pos = i
			return nil, s.fail("a string holds a control character, which JSON wants escaped")
		}
	}
	s.pos = len(s.b)
	return nil, s.fail("a string is not closed")
}

func (s *scanner) escaped(start, i int) ([]byte, bool) {
	out := append(s.scratch[:0], s.b[start:i]...)
	for i < len(s.b) {
		c := s.b[i]
		switch {
		case c == '"':
			s.pos, s.scratch = i+1, out
			return out, true
		case c < 0x20:
			s.pos = i
			return nil, s.fail("a string holds a control character, which JSON wants escaped")
		case c != '\\':
			out = append(out, c)
			i++
			continue
		}
		var n int
		if out, n = unescape(out, s.b[i:]); n == 0 {
			s.pos = i
			return nil, s.fail("a string holds an escape that JSON does not know")
		}
		i += n
	}
	s.pos = len(s.b)
	return nil, s.fail("a string is not closed")
}

// unescape appends what the escape at the start of b means and says how long
// it was, 0 if it is none.
func unescape(out, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return out, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return append(out, b[1]), 2
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		r, ok := hex4(b)
		if !ok {
			return out, 0
		}
		if r >= 0xD800 && r < 0xDC00 { // the first half of a surrogate pair
			if lo, ok := hex4(b[6:]); ok && lo >= 0xDC00 && lo < 0xE000 {
				return utf8.AppendRune(out, (r-0xD800)<<10|(lo-0xDC00)+0x10000), 12
			}
		}
		return utf8.AppendRune(out, r), 6
	}
	return out, 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// number reads a number. A value beyond float64 comes back as ±Inf.
func (s *scanner) number() (float64, bool) {
	s.peek()
	start, i := s.pos, s.pos
	var mant uint64
	digits, exp := 0, 0
	neg := i < len(s.b) && s.b[i] == '-'
	if neg {
		i++
	}
	first := i
	for ; i < len(s.b) && isDigit(s.b[i]); i++ {
		mant, digits = mant*10+uint64(s.b[i]-'0'), digits+1
	}
	if i == first || i-first > 1 && s.b[first] == '0' {
		return 0, s.fail(notANumber(s.b[start:]))
	}
	if i < len(s.b) && s.b[i] == '.' {
		i++
		frac := i
		for ; i < len(s.b) && isDigit(s.b[i]); i++ {
			mant, digits, exp = mant*10+uint64(s.b[i]-'0'), digits+1, exp-1
		}
		if i == frac {
			return 0, s.fail("a number ends in a decimal point")
		}
	}
	if i < len(s.b) && (s.b[i] == 'e' || s.b[i] == 'E') {
		i++
		if i < len(s.b) && (s.b[i] == '+' || s.b[i] == '-') {
			i++
		}
		e := i
		for ; i < len(s.b) && isDigit(s.b[i]); i++ {
		}
		if i == e {
			return 0, s.fail("a number ends in its exponent sign")
		}
		digits = 99 // the slow, exact way
	}
	s.pos = i
	if digits > 15 || exp < -22 {
		return s.exact(start, i)
	}
	f := float64(mant) / pow10[-exp]
	if neg {
		f = -f
	}
	return f, true
}

func (s *scanner) exact(start, end int) (float64, bool) {
	f, err := strconv.ParseFloat(view(s.b[start:end]), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, s.fail("a number cannot be read")
	}
	return f, true
}

// exactly representable, so that one division rounds once
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func isDigit(c byte) bool { return c-'0' < 10 }

// notANumber names the usual ways in which a number is not JSON.
func notANumber(b []byte) string {
	for _, w := range [...]string{"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "Inf"} {
		if len(b) >= len(w) && string(b[:len(w)]) == w {
			return w + " is no JSON; send null for a faulty sensor"
		}
	}
	if len(b) > 1 && b[0] == '0' {
		return "a number has a leading zero"
	}
	return "expected a number, true, false, null, a string or an object"
}

// word consumes w if it is next.
func (s *scanner) word(w string) bool {
	if len(s.b)-s.pos >= len(w) && view(s.b[s.pos:s.pos+len(w)]) == w {
		s.pos += len(w)
		return true
	}
	return s.fail(notANumber(s.b[s.pos:]))
}

// view is b as a string without a copy: only for as long as b stays unchanged.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
