package fleet

import (
	"fmt"
	"math"

	"lamplighter/devices"
)

// Facility is one facility of the city, for its census.
type Facility struct {
	ID               string
	Kind             devices.Kind
	Component        string // 16 digits
	Name             string
	Lon, Lat         float64
	Area             devices.AreaCode
	Cabinet, Circuit string
	Vendor, Model    string
	ExpectS          int64
	InCharge         string
	Owner            string
	Maintainer       string
	Installed        string
	Supply           string // as registry.Facility has it
	Limits           map[string]float64
}

const (
	lampsPerCircuit    = 20
	circuitsPerCabinet = 3
	perStreet          = 60 // facilities along one street
)

// layout draws the city: streets in a square, facilities along them.
type layout struct {
	city    *City
	dice    dice
	side    float64 // degrees of latitude
	serials map[string]int
}

func newLayout(c *City) *layout {
	n := c.opt.Manholes + c.opt.Streetlights + c.opt.Bridges
	return &layout{city: c, dice: newDice(c.opt.Seed, 3), side: 0.03 * math.Sqrt(1+float64(n)/500), serials: map[string]int{}}
}

// place is a point of the unit square on the earth.
func (l *layout) place(x, y float64) Place {
	m := l.city.opt.Middle
	return Place{Lon: m.Lon + (x-0.5)*l.side/math.Cos(m.Lat*math.Pi/180), Lat: m.Lat + (y-0.5)*l.side}
}

// street is a straight line with things along it.
type street struct {
	name   string
	x, y   float64 // where it begins in the unit square
	dx, dy float64 // from one thing to the next
	n      int     // things so far
}

var roadNames = [...]string{"八一七路", "五四路", "东街", "古田路", "湖东路", "华林路", "六一路", "杨桥路", "乌山路", "国货路", "工业路", "白马路", "福新路", "连江路", "则徐大道", "上三路"}

func (l *layout) street(i int) *street {
	name := roadNames[i%len(roadNames)]
	if i >= len(roadNames) {
		name = fmt.Sprintf("%s %d 段", name, i/len(roadNames)+1)
	}
	s := &street{name: name, x: l.dice.between(0.02, 0.98), y: l.dice.between(0.02, 0.98)}
	angle := float64(i%2)*math.Pi/2 + l.dice.noise(0.2)
	step := 0.00032 / l.side // some 35 m
	s.dx, s.dy = step*math.Cos(angle), step*math.Sin(angle)
	if s.x > 0.5 {
		s.dx = -math.Abs(s.dx)
	}
	if s.y > 0.5 {
		s.dy = -math.Abs(s.dy)
	}
	return s
}

// next is a facility at the street's next place.
func (l *layout) next(s *street, k devices.Kind, subclass string) Facility {
	x, y := s.x+s.dx*float64(s.n)+l.dice.noise(3e-5), s.y+s.dy*float64(s.n)+l.dice.noise(3e-5)
	s.n++
	x, y = min(0.999, max(0.001, x)), min(0.999, max(0.001, y))
	p, c := l.place(x, y), cellOf(x, y)
	key := districtCodes[c[0]] + subclass
	l.serials[key]++
	return Facility{Kind: k, Component: fmt.Sprintf("%s%06d", key, l.serials[key]), Lon: p.Lon, Lat: p.Lat, Area: c.code(3),
		InCharge: districtNames[c[0]] + "城市管理局", Installed: fmt.Sprintf("20%02d-%02d-15", 15+l.dice.IntN(10), 1+l.dice.IntN(12))}
}

// streets puts everything in its place.
func (l *layout) streets() {
	o, at := &l.city.opt, 0
	var s *street
	walk := func(i, along int) *street {
		if i%along == 0 {
			s = l.street(at)
			at++
		}
		return s
	}
	for i := range o.Manholes {
		l.manhole(i, walk(i, perStreet))
	}
	for i := range o.Streetlights {
		l.streetlight(i, walk(i, lampsPerCircuit*circuitsPerCabinet))
	}
	for i := range o.Bridges {
		l.bridge(i, walk(i, 1))
	}
	if o.Meters {
		for _, c := range l.city.circuits {
			l.meter(c)
		}
	}
}

// coverSorts are sorts of cover with the component codes on which cities agree.
var coverSorts = [...]struct{ subclass, name, owner string }{
	{"0102", "污水井盖", "市水务公司"}, {"0103", "雨水井盖", "市水务公司"}, {"0105", "电力井盖", "市供电公司"},
	{"0107", "通讯井盖", "通信管道公司"}, {"0101", "上水井盖", "市自来水公司"}, {"0111", "燃气井盖", "市燃气公司"},
}

func (l *layout) manhole(i int, s *street) {
	sort := coverSorts[l.dice.IntN(len(coverSorts))]
	f := l.next(s, devices.Manhole, sort.subclass)
	f.ID, f.Name = fmt.Sprintf("MH-%05d", i+1), fmt.Sprintf("%s %d 号%s", s.name, s.n, sort.name)
	f.Owner, f.Maintainer = sort.owner, "市政设施养护中心"
	l.city.addCover(f, l.model(i, coverModels), sort.subclass < "0104")
}

func (l *layout) streetlight(i int, s *street) {
	f := l.next(s, devices.Streetlight, "0118")
	n := i / lampsPerCircuit
	f.ID, f.Name = fmt.Sprintf("SL-%05d", i+1), fmt.Sprintf("%s %d 号路灯", s.name, s.n)
	f.Cabinet, f.Circuit = fmt.Sprintf("CAB-%03d", n/circuitsPerCabinet+1), fmt.Sprintf("C%d", n%circuitsPerCabinet+1)
	f.Owner, f.Maintainer = "市路灯管理所", "市路灯管理所"
	if !l.city.opt.Switched {
		f.Supply = "always"
	}
	l.city.addLamp(f, l.model(i, lampModels))
}

func (l *layout) bridge(i int, s *street) {
	f := l.next(s, devices.Bridge, [...]string{"0208", "0207"}[i%2])
	f.ID, f.Name = fmt.Sprintf("BR-%03d", i+1), s.name+[...]string{"跨河桥", "高架桥"}[i%2]
	f.Owner, f.Maintainer = "市建设局", "桥梁养护公司"
	f.Limits = map[string]float64{"displacement_mm": 40, "inclination_deg": 1.5, "strain_ue": 900}
	l.city.addBridge(f, bridgeModel)
}

// meter is on the cabinet, where the first lamp of its circuit stands.
func (l *layout) meter(c *circuit) {
	f := c.lamps[0].device.Facility
	f.ID, f.Name = c.id, fmt.Sprintf("%s 配电柜 %s 回路", f.Cabinet, f.Circuit)
	f.Component, f.Circuit, f.Supply, f.Limits = "", "", "", nil // it does not hang on what it measures
	l.city.addMeter(f, c)
}

// The makers are made up.
var (
	coverModels = []model{
		{"闽测", "MC-200", canonical, false, false, true}, {"闽测", "MC-200", canonical, false, false, true}, {"闽测", "MC-150", canonical, false, false, false},
		{"榕芯", "RX-1S", canonical, true, false, false}, {"榕芯", "RX-1", canonical, false, true, false}, {"海峡物联", "HX-M3", flat, false, false, false},
		{"海峡物联", "HX-M2", boxed, false, false, false}, {"Tideway", "T1", senml, false, false, false}, {"Tideway", "T0", bare, false, false, false},
	}
	lampModels = []model{
		{"闽光", "LC-8", canonical, false, false, true}, {"闽光", "LC-8", canonical, false, false, true}, {"闽光", "LC-6", canonical, false, false, false},
		{"榕芯", "RL-2", canonical, false, true, false}, {"海峡物联", "HX-L4", flat, false, false, false}, {"海峡物联", "HX-L2", boxed, false, false, false},
		{"Tideway", "L1", senml, false, false, false},
	}
	bridgeModel = model{"闽测", "BRIDGE-16", canonical, false, false, false}
	meterModel  = model{"闽光", "CM-3", canonical, false, false, false}
)

// model picks a maker; the first of the city is a plain one.
func (l *layout) model(i int, of []model) model {
	if i == 0 {
		return of[0]
	}
	return of[l.dice.IntN(len(of))]
}
