package devices

import (
	"fmt"
	"maps"
	"math"
	"sync"
	"sync/atomic"
)

// ValueType is the one type that a channel has for ever.
type ValueType uint8

// The types of a value.
const (
	Number ValueType = iota + 1
	Bool             // Num is 1 or 0
	Text             // an enumeration, at most 64 bytes
)

var valueTypeNames = [...]string{"", "number", "bool", "text"}

// String is the type's name in files and the API.
func (t ValueType) String() string { return valueTypeNames[min(int(t), len(valueTypeNames)-1)] }

// ParseValueType reads what String wrote.
func ParseValueType(s string) (ValueType, error) {
	for i, n := range valueTypeNames {
		if i > 0 && n == s {
			return ValueType(i), nil
		}
	}
	return 0, fmt.Errorf("value type %q: want number, bool or text: %w", s, ErrInvalid)
}

// Channel is one quantity that a device measures. The unit is part of the name.
type Channel struct {
	Name    string
	Unit    string // UCUM-like: deg, mm, V, %, dBm, Cel, W, kWh, Hz …; "" for bool and text
	Type    ValueType
	Min     float64 // plausible range, both ends included; NaN = open
	Max     float64
	Aliases []string // other names that mean the same quantity in the same unit
	Title   Title    // what people call it
	ID      int      // dense index, given by the Dictionary
	Unknown bool     // not in any dictionary: met in the field
}

// Title is a name in the two languages of the board.
type Title struct {
	ZH string `json:"zh" yaml:"zh"`
	EN string `json:"en" yaml:"en"`
}

// Plausible tells whether v lies in the channel's range.
func (c *Channel) Plausible(v float64) bool {
	return !(v < c.Min) && !(v > c.Max)
}

// Open is an open end of a plausible range.
func Open() float64 { return math.NaN() }

// MaxChannels bounds how many different channels a dictionary learns.
const MaxChannels = 10000

// Dictionary knows every channel by name and alias. Unknown channels are
// learned as they are met. It is safe for concurrent use.
type Dictionary struct {
	byName atomic.Pointer[map[string]*Channel] // replaced whole, so that Lookup needs no lock
	mu     sync.Mutex
	list   []*Channel // guarded by mu; index = Channel.ID
}

// NewDictionary takes the channels of the kinds. The same name may come more
// than once with the same unit and type (battery_v of every kind); anything
// else that collides is an error.
func NewDictionary(lists ...[]Channel) (*Dictionary, error) {
	d := &Dictionary{}
	byName := make(map[string]*Channel)
	d.byName.Store(&byName)
	for _, l := range lists {
		for _, c := range l {
			if err := d.add(byName, c); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

func (d *Dictionary) add(byName map[string]*Channel, c Channel) error {
	if have, ok := byName[c.Name]; ok {
		if have.Name != c.Name || have.Unit != c.Unit || have.Type != c.Type {
			return fmt.Errorf("channel %s: is %s in %q, already known as %s (%s in %q): %w", c.Name, c.Type, c.Unit, have.Name, have.Type, have.Unit, ErrConflict)
		}
		return nil
	}
	c.ID = len(d.list)
	d.list = append(d.list, &c)
	byName[c.Name] = &c
	for _, a := range c.Aliases {
		if have, ok := byName[a]; ok && have != &c {
			return fmt.Errorf("channel %s: alias %s already means %s: %w", c.Name, a, have.Name, ErrConflict)
		}
		byName[a] = &c
	}
	return nil
}

// Lookup finds a channel by name or alias, nil if there is none. It does not
// allocate.
func (d *Dictionary) Lookup(name []byte) *Channel {
	return (*d.byName.Load())[string(name)]
}

// Learn returns the channel of that name, which is added as unknown with the
// given type if it is new; nil when the dictionary is full.
func (d *Dictionary) Learn(name string, t ValueType) *Channel {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := *d.byName.Load()
	if c, ok := old[name]; ok {
		return c
	}
	if len(d.list) >= MaxChannels {
		return nil
	}
	c := &Channel{Name: name, Type: t, Min: Open(), Max: Open(), Unknown: true, ID: len(d.list)}
	d.list = append(d.list, c)
	byName := maps.Clone(old)
	byName[name] = c
	d.byName.Store(&byName)
	return c
}

// All is every channel in the order of ID.
func (d *Dictionary) All() []*Channel {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*Channel(nil), d.list...)
}
