package rules

import (
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// town is a city that is judged in several partitions, a frame in each every
// tenth of a second. What one has to tell others stands in their next frame.
type town struct {
	t     *testing.T
	parts []*story
	mail  [][]devices.Item
	known map[devices.FacilityID]registry.Facility
	tick  int
	sent  int // letters
	twice bool
	log   []string
	// of the tickets that were opened, with the members that it kept from counting
	windows []string
	opened  func(*Transition) // of every ticket, may be nil
}

func newTown(t *testing.T, partitions int, rules ...string) *town {
	t.Helper()
	w := &town{t: t, mail: make([][]devices.Item, partitions), known: make(map[devices.FacilityID]registry.Facility)}
	for p := range partitions {
		s := tell(t)
		s.e = NewEngine(lampRules(t, s, rules...), s.dict, func(f *registry.Facility) bool { return w.of(f.Key()) == p })
		s.e.partitions = partitions
		w.parts = append(w.parts, s)
	}
	return w
}

func (w *town) of(key string) int {
	return int(crc32.ChecksumIEEE([]byte(key)) % uint32(len(w.parts)))
}

// learn tells the partitions of facilities as they are now.
func (w *town) learn(fs ...registry.Facility) {
	w.t.Helper()
	for _, f := range fs {
		f.Device = devices.DeviceID(f.ID)
		was, moved := w.known[f.ID]
		to := w.of(f.Key())
		moved = moved && w.of(was.Key()) != to
		text, err := registry.EncodeFed([]registry.Fed{{Facility: f, Moved: moved}})
		if err != nil {
			w.t.Fatal(err)
		}
		it := devices.Item{Type: devices.ItemCensus, Control: text}
		w.mail[to] = append(w.mail[to], it)
		if moved {
			w.mail[w.of(was.Key())] = append(w.mail[w.of(was.Key())], it)
		}
		w.known[f.ID] = f
	}
}

// broadcast puts an item into every partition.
func (w *town) broadcast(it devices.Item) {
	for p := range w.mail {
		w.mail[p] = append(w.mail[p], it)
	}
}

func (w *town) now() float64 { return float64(w.tick) / 10 }

// say lets lamps report whether they have failed.
func (w *town) say(bad bool, fs ...registry.Facility) {
	w.t.Helper()
	for _, f := range fs {
		f = w.known[f.ID]
		p := w.of(f.Key())
		w.mail[p] = append(w.mail[p], w.parts[p].says(string(f.ID), w.now(), "lamp_failure", bad))
	}
}

// run lets time pass until a second.
func (w *town) run(until float64) {
	w.t.Helper()
	for ; w.now() <= until; w.tick++ {
		letters := make([][]devices.Item, len(w.parts))
		for p, s := range w.parts {
			s.seq++
			found, err := s.e.Step(&devices.Batch{Partition: p, Seq: s.seq, Wall: start + int64(w.tick)*100, Items: w.mail[p]})
			if err != nil {
				w.t.Fatal(err)
			}
			w.mail[p] = nil
			for _, x := range found.Transitions {
				w.log = append(w.log, strings.TrimSpace(fmt.Sprintf("%g %s %s %s %s", w.now(), [...]string{Opened: "opened", Ended: "closed", Joined: "joined", Left: "left", Changed: "changed", Historic: "historic"}[x.Type], x.Facility, x.Defect, x.Member)))
			}
			for _, x := range found.Transitions {
				if x.Type == Opened && w.opened != nil {
					w.opened(&x)
				}
				if x.Type == Opened && x.Evidence.Window != nil {
					w.windows = append(w.windows, fmt.Sprint(x.Evidence.Window.ID, " ", x.Evidence.Window.Members))
				}
			}
			for _, l := range found.Letters {
				w.sent++
				it := devices.Item{Type: l.Type, Control: slices.Clone(l.Record)}
				for q := range w.parts {
					if l.Key == "" || q == w.of(l.Key) {
						letters[q] = append(letters[q], it)
						if w.twice {
							letters[q] = append(letters[q], it)
						}
					}
				}
			}
		}
		for p := range w.mail {
			w.mail[p] = append(w.mail[p], letters[p]...)
		}
	}
}

// tickets are the transitions without the members, and how many members joined.
func (w *town) tickets() (lines []string, joined int) {
	for _, l := range w.log {
		switch strings.Fields(l)[1] {
		case "opened", "closed":
			lines = append(lines, l)
		case "joined":
			joined++
		}
	}
	return lines, joined
}

// expect compares tickets, at about their second.
func (w *town) expect(want ...string) {
	w.t.Helper()
	got, _ := w.tickets()
	for i := range got {
		sec, rest, _ := strings.Cut(got[i], " ")
		whole, _, _ := strings.Cut(sec, ".")
		got[i] = whole + " " + rest
	}
	if x, y := strings.Join(got, "\n"), strings.Join(want, "\n"); x != y {
		w.t.Errorf("got\n%s\nwant\n%s", x, y)
	}
}

// quiet fails when anything still waits or is still known to others.
func (w *town) quiet() {
	w.t.Helper()
	for p, s := range w.parts {
		if n := len(s.e.stirred) + len(s.e.astir) + len(s.e.waiting) + len(s.e.wholes); n != 0 {
			w.t.Errorf("partition %d: %d things still wait for time to pass", p, n)
		}
		for k, x := range s.e.parents {
			if len(x.causes) > 0 {
				w.t.Errorf("partition %d: %v still knows of causes", p, k)
			}
		}
	}
}

// street is the lamps of a street on so many cabinets.
func street(area devices.AreaCode, feeder string, cabinets, lamps int) (fs []registry.Facility) {
	for c := range cabinets {
		for i := range lamps {
			fs = append(fs, registry.Facility{ID: devices.FacilityID(fmt.Sprintf("SL-%s-%03d-%03d", area, c, i)), Kind: devices.Streetlight, ExpectS: 3600,
				Area: area, Feeder: feeder, Cabinet: fmt.Sprintf("CAB-%s-%03d", area, c), Circuit: fmt.Sprint("C", i%2)})
		}
	}
	return fs
}

const (
	dark       = "name: dark, when: lamp_failure, for: 5s, clear_for: 4s"
	cabinetOff = "name: cabinet_off, collapse: {of: dark, by: cabinet, share: 0.8, at_least: 3}"
	streetOff  = "name: street_off, collapse: {of: dark, by: area, level: street, share: 0.3, at_least: 50}, clear_for: 10s"
	feederOff  = "name: feeder_off, collapse: {of: dark, by: feeder, share: 0.8, at_least: 20}"
)

func TestADarkStreetIsOneTicketForAllItsCabinets(t *testing.T) {
	w := newTown(t, 3, dark, cabinetOff, streetOff)
	fs := street("350102001", "", 20, 10)
	w.learn(fs...)
	w.learn(street("350102002", "", 20, 10)...)
	w.run(1)
	w.say(true, fs...)
	w.run(60)
	w.say(false, fs...)
	w.run(100)
	w.expect("3 opened area:350102001 street_off", "70 closed area:350102001 street_off")
	if _, joined := w.tickets(); joined != len(fs) {
		t.Errorf("%d lamps are attached, want %d", joined, len(fs))
	}
	if w.sent > 50 {
		t.Errorf("it took %d letters", w.sent)
	}
	w.quiet()
	t.Logf("%d letters", w.sent)
}

func TestADarkCabinetInAStreetStaysTheCabinets(t *testing.T) {
	w := newTown(t, 3, dark, cabinetOff, streetOff)
	fs := street("350102001", "", 4, 60) // a cabinet is enough for the street's rule
	w.learn(fs...)
	w.run(1)
	w.say(true, fs[:60]...)
	w.say(true, fs[70], fs[130])
	w.run(60)
	w.say(true, fs[60:120]...) // now it is half of the street
	w.run(80)
	w.say(false, fs...)
	w.run(120)
	w.expect("6 opened CAB-350102001-000 cabinet_off", "6 opened "+string(fs[70].ID)+" dark", "6 opened "+string(fs[130].ID)+" dark",
		"62 opened area:350102001 street_off", "80 closed CAB-350102001-000 cabinet_off", "84 closed "+string(fs[70].ID)+" dark", "84 closed "+string(fs[130].ID)+" dark", "90 closed area:350102001 street_off")
	w.quiet()
}

func TestWhoIsStillBadWhenTheStreetRecoversWaitsForItsOwnTicket(t *testing.T) {
	w := newTown(t, 2, dark, cabinetOff, streetOff)
	fs := street("350102001", "", 10, 10)
	w.learn(fs...)
	w.run(1)
	w.say(true, fs...)
	w.run(30)
	w.say(false, fs[15:]...) // a cabinet stays dark, and some lamps of another
	w.run(60)
	w.expect("3 opened area:350102001 street_off", "40 closed area:350102001 street_off",
		"45 opened CAB-350102001-000 cabinet_off", "45 opened "+string(fs[10].ID)+" dark", "45 opened "+string(fs[11].ID)+" dark", "45 opened "+string(fs[12].ID)+" dark", "45 opened "+string(fs[13].ID)+" dark", "45 opened "+string(fs[14].ID)+" dark")
}

func TestAFeederIsTheCauseOfWhatIsDarkInItsStreets(t *testing.T) {
	w := newTown(t, 3, dark, cabinetOff, feederOff, streetOff, strings.NewReplacer("street", "district").Replace(streetOff))
	fed := slices.Concat(street("350102001", "F-1", 6, 10), street("350102002", "F-1", 6, 10))
	w.learn(fed...)
	w.learn(slices.Concat(street("350102003", "F-2", 6, 10), street("350102004", "F-3", 6, 10))...)
	w.run(1)
	w.say(true, fed...)
	w.run(30)
	w.say(false, fed...)
	w.run(60)
	w.expect("6 opened feeder:F-1 feeder_off", "30 closed feeder:F-1 feeder_off")
	if _, joined := w.tickets(); joined != len(fed) {
		t.Errorf("%d lamps are attached, want %d", joined, len(fed))
	}
	w.quiet()
}

func TestADistrictWithoutPowerIsOneTicketForAllItsFeedersAndStreets(t *testing.T) {
	w := newTown(t, 3, dark, cabinetOff, feederOff, streetOff, strings.NewReplacer("street", "district").Replace(streetOff))
	fs := slices.Concat(street("350102001", "F-1", 6, 10), street("350102002", "F-1", 6, 10), street("350102003", "F-2", 6, 10), street("350102004", "F-3", 6, 10))
	w.learn(fs...)
	w.run(1)
	w.say(true, fs...)
	w.run(60)
	w.say(false, fs...)
	w.run(90)
	w.expect("3 opened area:350102 district_off", "70 closed area:350102 district_off")
	w.quiet()
}

func TestTheFeederOfACabinetIsThatOfItsLamps(t *testing.T) {
	w := newTown(t, 2, dark, feederOff)
	fs := street("350102001", "", 4, 10)
	w.learn(fs...)
	for c := range 4 {
		w.learn(registry.Facility{ID: devices.FacilityID(fmt.Sprintf("CAB-350102001-%03d", c)), Kind: devices.Streetlight, Feeder: "F-9"})
	}
	w.run(1)
	w.say(true, fs...)
	w.run(30)
	w.expect("3 opened feeder:F-9 feeder_off")
	w.learn(registry.Facility{ID: "CAB-350102001-000", Kind: devices.Streetlight, Feeder: "F-8"})
	w.run(40)
	var left int
	for _, l := range w.log {
		if strings.Contains(l, " left feeder:F-9 ") {
			left++
		}
	}
	if left != 10 {
		t.Errorf("%d lamps left the ticket, want those of the cabinet that hangs elsewhere now", left)
	}
	got, _ := w.tickets()
	if len(got) != 11 || !strings.HasSuffix(got[10], "dark") {
		t.Errorf("tickets %q, want the feeder's and one for each lamp of the cabinet", got)
	}
}

func TestALampThatMovesIntoADarkStreetIsAttachedAndOneThatMovesOutIsNot(t *testing.T) {
	w := newTown(t, 3, dark, streetOff)
	fs, there := street("350102001", "", 10, 10), street("350102002", "", 1, 5)
	w.learn(fs...)
	w.learn(there...)
	w.run(1)
	w.say(true, fs...)
	w.run(20)
	out, in := fs[0], there[0]
	out.Area, out.Cabinet = "350102002", "ELSEWHERE"
	in.Area, in.Cabinet = "350102001", "CAB-350102001-003"
	w.say(true, in)
	w.run(21)
	w.learn(out, in)
	w.run(50)
	w.say(false, fs...)
	w.say(false, in)
	w.run(80)
	w.expect("3 opened area:350102001 street_off", "26 opened "+string(out.ID)+" dark", "54 closed "+string(out.ID)+" dark", "60 closed area:350102001 street_off")
	var moved []string
	for _, l := range w.log {
		if strings.HasSuffix(l, string(out.ID)) || strings.HasSuffix(l, string(in.ID)) {
			_, l, _ = strings.Cut(l, " ")
			moved = append(moved, l)
		}
	}
	if got := strings.Join(moved, ", "); got != "joined area:350102001 street_off "+string(out.ID)+", left area:350102001 street_off "+string(out.ID)+", joined area:350102001 street_off "+string(in.ID)+", left area:350102001 street_off "+string(in.ID) {
		t.Errorf("who moved %s", got)
	}
}

func TestOtherRulesEndTheTicketOfAStreetAndMembersGetTheirOwn(t *testing.T) {
	w := newTown(t, 3, dark, cabinetOff, streetOff)
	fs := street("350102001", "", 10, 10)
	w.learn(fs...)
	w.run(1)
	w.say(true, fs...)
	w.run(20)
	w.broadcast(devices.Item{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, w.parts[0], dark, cabinetOff).Text())})
	w.run(40)
	w.broadcast(devices.Item{Type: devices.ItemRuleSet, Control: []byte(lampRules(t, w.parts[0], dark, cabinetOff, strings.Replace(streetOff, "street_off", "lane_off", 1)).Text())})
	w.run(60)
	got, _ := w.tickets()
	if len(got) != 13 || !strings.Contains(got[0], "opened area:350102001 street_off") || !strings.Contains(got[1], "closed area:350102001 street_off") || !strings.Contains(got[12], "opened area:350102001 lane_off") {
		t.Errorf("tickets %q, want that of the street, those of ten cabinets, and that of the street by another name", got)
	}
}

func TestAWindowOverTheStreetKeepsItsTicketBack(t *testing.T) {
	w := newTown(t, 2, dark, streetOff)
	fs := street("350102001", "", 10, 10)
	w.learn(fs...)
	x := Window{ID: "w", Area: "350102001", Rule: "street_off", From: start, To: start + 30_000, Reason: "r", By: "b"}
	text, err := x.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.broadcast(devices.Item{Type: devices.ItemWindow, Control: text})
	w.run(1)
	w.say(true, fs[:60]...)
	w.run(20)
	w.say(false, fs...)
	w.run(26)
	w.say(true, fs[:60]...)
	w.run(40)
	for i, l := range w.log {
		if strings.Contains(l, "street_off") {
			got, _ := w.tickets()
			if i < 120 || !strings.HasPrefix(got[len(got)-1], "32") {
				t.Errorf("%s", l)
			}
			return
		}
	}
	t.Error("nothing was opened when the window was over")
}

func TestLettersThatComeTwiceChangeNothing(t *testing.T) {
	tell := func(twice bool) string {
		w := newTown(t, 3, dark, cabinetOff, feederOff, streetOff)
		w.twice = twice
		fs := slices.Concat(street("350102001", "F-1", 6, 10), street("350102002", "F-2", 6, 10))
		w.learn(fs...)
		w.run(1)
		w.say(true, fs[:70]...)
		w.run(30)
		w.say(false, fs...)
		w.run(60)
		w.quiet()
		return strings.Join(w.log, "\n")
	}
	if once, twice := tell(false), tell(true); once != twice || !strings.Contains(once, "opened") {
		t.Errorf("once\n%s\ntwice\n%s", once, twice)
	}
}

func TestFewBadLampsAreNobodysBusiness(t *testing.T) {
	w := newTown(t, 4, dark, streetOff)
	fs := street("350102001", "", 20, 10)
	w.learn(fs...)
	w.run(1)
	for i := range 20 {
		w.say(i%2 == 0, fs[i*7%10], fs[100+i])
		w.run(float64(2 + i))
	}
	if w.sent != 0 {
		t.Errorf("%d letters about lamps that fail one by one", w.sent)
	}
}

func TestAStreetKeepsItsTicketThroughRestartsOfAllPartitions(t *testing.T) {
	w := newTown(t, 3, dark, cabinetOff, streetOff)
	fs := street("350102001", "", 10, 10)
	w.learn(fs...)
	w.run(1)
	w.say(true, fs...)
	for sec := 2; sec < 70; sec++ {
		if sec == 40 {
			w.say(false, fs...)
		}
		w.run(float64(sec))
		for p, s := range w.parts {
			s.e = restarted(t, s.e, s.seq)
			s.e.partition = p
		}
	}
	w.expect("3 opened area:350102001 street_off", "49 closed area:350102001 street_off")
	if _, joined := w.tickets(); joined != len(fs) {
		t.Errorf("%d lamps are attached, want %d", joined, len(fs))
	}
}

func TestAPartitionThatForgetsDoesNotKeepATicketOpen(t *testing.T) {
	w := newTown(t, 3, dark, streetOff)
	fs := street("350102001", "", 10, 10)
	w.learn(fs...)
	w.run(1)
	w.say(true, fs...)
	w.run(30)
	coordinator := w.of("area:350102001")
	lost := (coordinator + 1) % 3
	s := w.parts[lost]
	n := NewEngine(s.e.set, s.dict, s.e.owns)
	n.partitions = 3
	s.e = n
	for _, f := range fs { // it hears good news of the others only
		if w.of(f.Key()) != lost {
			w.say(false, f)
		}
	}
	w.run(31)
	if got, _ := w.tickets(); len(got) != 1 {
		t.Fatalf("tickets %q", got)
	}
	w.run(1200)
	if got, _ := w.tickets(); len(got) != 2 || !strings.HasSuffix(got[1], "closed area:350102001 street_off") {
		t.Errorf("tickets %q, want the street's closed", got)
	}
}
