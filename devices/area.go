package devices

import "fmt"

// AreaCode is a node of the four-level grid (市-区-街道-社区) or a unit grid in it:
// the first 4 (city), 6 (county, GB/T 2260), 9 (street), 12 (community) or 15
// (unit grid) digits of the unit grid code; 14 digits are the older unit grid.
type AreaCode string

// AreaLevel is how far down the grid an area code reaches.
type AreaLevel uint8

// The levels of the grid, from the city to the unit grid.
const (
	NoArea AreaLevel = iota
	City
	District
	Street
	Community
	UnitGrid
)

var areaLevelNames = [...]string{"", "city", "district", "street", "community", "grid"}

// String is the level's name in the API.
func (l AreaLevel) String() string { return areaLevelNames[min(int(l), len(areaLevelNames)-1)] }

// ParseAreaLevel reads what String writes; NoArea for anything else.
func ParseAreaLevel(s string) AreaLevel {
	for i, n := range areaLevelNames {
		if n == s {
			return AreaLevel(i)
		}
	}
	return NoArea
}

var areaLens = map[int]AreaLevel{4: City, 6: District, 9: Street, 12: Community, 14: UnitGrid, 15: UnitGrid}

// ParseAreaCode checks that s is made of digits and has the length of a level.
func ParseAreaCode(s string) (AreaCode, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", fmt.Errorf("area code %q: has %q at position %d, want digits only", clip(s, 40), s[i], i+1)
		}
	}
	if _, ok := areaLens[len(s)]; !ok {
		return "", fmt.Errorf("area code %q: has %d digits, want 4 (city), 6 (district), 9 (street), 12 (community), 14 or 15 (unit grid)", clip(s, 40), len(s))
	}
	return AreaCode(s), nil
}

// Level is the level of the area, NoArea for the empty code.
func (a AreaCode) Level() AreaLevel { return areaLens[len(a)] }

// Parent is the area one level up; the city's parent is the empty code.
func (a AreaCode) Parent() AreaCode {
	switch a.Level() {
	case UnitGrid:
		return a[:12]
	case Community:
		return a[:9]
	case Street:
		return a[:6]
	case District:
		return a[:4]
	default:
		return ""
	}
}

// At is the area of a level that a is or lies in, "" if it reaches not so far down.
func (a AreaCode) At(l AreaLevel) AreaCode {
	for a != "" && a.Level() > l {
		a = a.Parent()
	}
	if a.Level() != l {
		return ""
	}
	return a
}

// AreaFacility is the facility that a ticket on an area is about: area:CODE, and
// area:city of the city, which there is one of.
func AreaFacility(l AreaLevel, a AreaCode) FacilityID {
	if l == City {
		return "area:city"
	}
	return FacilityID("area:" + a)
}

// FeederFacility is the facility that a ticket on a feeder is about: feeder:NAME.
func FeederFacility(name string) FacilityID { return FacilityID("feeder:" + name) }

// Within tells whether a is b or lies in it.
func (a AreaCode) Within(b AreaCode) bool { return len(a) >= len(b) && a[:len(b)] == b }
