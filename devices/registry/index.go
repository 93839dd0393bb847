package registry

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"lamplighter/devices"
)

// index holds the census in memory. There may be a million devices, so it keeps
// no pointer a device: the texts stand in a few large blocks, the records
// likewise, about 110 bytes a device in all. It is guarded by its owner.
type index struct {
	byDevice   map[uint64]uint32 // hash of a device's id → the first record of its chain
	byFacility map[devices.FacilityID]uint32
	blocks     []*[blockLen]record
	used       uint32 // record 0 is nobody's
	free       []uint32
	texts      arena
	names      []string // of cabinets and gateways: many share one
	nameIDs    map[string]uint32
	count      int
}

const blockLen = 4096

// record is one device. byFacility finds it only where facility and device have
// different ids.
type record struct {
	device, facility place // in index.texts
	cabinet, gateway uint32
	next             uint32 // with the same hash
	kind             devices.Kind
	provisional      bool
	secret           bool
	digest           digest // if secret
}

func newIndex() *index {
	return &index{byDevice: make(map[uint64]uint32), byFacility: make(map[devices.FacilityID]uint32), used: 1, names: []string{""}, nameIDs: map[string]uint32{"": 0}}
}

func (x *index) at(i uint32) *record { return &x.blocks[i/blockLen][i%blockLen] }

// find is the record of a device, 0 if there is none.
func (x *index) find(d devices.DeviceID) uint32 {
	for i := x.byDevice[xxhash.Sum64String(string(d))]; i != 0; i = x.at(i).next {
		if x.texts.text(x.at(i).device) == string(d) {
			return i
		}
	}
	return 0
}

// of is the record of a facility, 0 if there is none.
func (x *index) of(id devices.FacilityID) uint32 {
	if i := x.byFacility[id]; i != 0 {
		return i
	}
	if i := x.find(devices.DeviceID(id)); i != 0 && x.at(i).facility == x.at(i).device {
		return i
	}
	return 0
}

func (x *index) entry(i uint32) Entry {
	r := x.at(i)
	e := Entry{Facility: devices.FacilityID(x.texts.text(r.facility)), Kind: r.kind, Gateway: devices.DeviceID(x.names[r.gateway]), Provisional: r.provisional}
	e.PartitionKey = keyOf(x.names[r.cabinet], e.Facility)
	return e
}

// put adds or replaces a facility; of f it wants id, device, kind, cabinet,
// gateway and provisional.
func (x *index) put(f *Facility, d *digest) {
	i := x.of(f.ID)
	if i != 0 && x.texts.text(x.at(i).device) != string(f.Device) {
		x.drop(f.ID)
		i = 0
	}
	if other := x.find(f.Device); i == 0 && other != 0 {
		x.drop(x.entry(other).Facility)
	}
	if i == 0 {
		i = x.add(f)
	}
	r := x.at(i)
	r.kind, r.provisional, r.cabinet, r.gateway = f.Kind, f.Provisional, x.name(f.Cabinet), x.name(string(f.Gateway))
	if r.secret = d != nil; r.secret {
		r.digest = *d
	}
}

func (x *index) add(f *Facility) uint32 {
	i := x.room()
	r := x.at(i)
	*r = record{device: x.texts.add(string(f.Device))}
	r.facility = r.device
	if string(f.ID) != string(f.Device) {
		r.facility = x.texts.add(string(f.ID))
		x.byFacility[devices.FacilityID(x.texts.text(r.facility))] = i
	}
	h := xxhash.Sum64String(string(f.Device))
	r.next = x.byDevice[h]
	x.byDevice[h] = i
	x.count++
	return i
}

func (x *index) room() uint32 {
	if n := len(x.free); n > 0 {
		i := x.free[n-1]
		x.free = x.free[:n-1]
		return i
	}
	i := x.used
	if x.used++; int(i/blockLen) == len(x.blocks) {
		x.blocks = append(x.blocks, new([blockLen]record))
	}
	return i
}

// drop forgets a facility. Its texts stay until the next start.
func (x *index) drop(id devices.FacilityID) {
	i := x.of(id)
	if i == 0 {
		return
	}
	delete(x.byFacility, id)
	r := x.at(i)
	h := xxhash.Sum64String(x.texts.text(r.device))
	if x.byDevice[h] == i {
		x.byDevice[h] = r.next
	} else {
		p := x.byDevice[h]
		for x.at(p).next != i {
			p = x.at(p).next
		}
		x.at(p).next = r.next
	}
	if x.byDevice[h] == 0 {
		delete(x.byDevice, h)
	}
	*r = record{}
	x.free = append(x.free, i)
	x.count--
}

// name keeps one copy of a cabinet's or a gateway's name.
func (x *index) name(s string) uint32 {
	if id, ok := x.nameIDs[s]; ok {
		return id
	}
	id := uint32(len(x.names))
	s = strings.Clone(s)
	x.names = append(x.names, s)
	x.nameIDs[s] = id
	return id
}

// arena keeps short texts in large blocks. What it has given out stays valid.
type arena struct {
	full []string
	open strings.Builder
}

// place is where a text stands: 32 bits of block, 24 of offset, 8 of length.
type place uint64

const arenaBlock = 64 << 10

func (a *arena) add(s string) place {
	if a.open.Len()+len(s) > arenaBlock {
		a.full = append(a.full, a.open.String())
		a.open = strings.Builder{}
	}
	if a.open.Cap() == 0 {
		a.open.Grow(arenaBlock)
	}
	p := place(len(a.full))<<32 | place(a.open.Len())<<8 | place(len(s))
	a.open.WriteString(s)
	return p
}

func (a *arena) text(p place) string {
	block, from := int(p>>32), int(p>>8&0xffffff)
	s := ""
	if block < len(a.full) {
		s = a.full[block]
	} else {
		s = a.open.String()
	}
	return s[from : from+int(p&0xff)]
}
