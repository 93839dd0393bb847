package score

import (
	"strings"
	"testing"
	"time"
)

var began = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// at is an instant, minutes after the beginning; nil for 0 or less.
func at(minutes int) *time.Time {
	if minutes <= 0 {
		return nil
	}
	t := began.Add(time.Duration(minutes) * time.Minute)
	return &t
}

func truth(facility, defect string, from, to int) Truth {
	return Truth{Facility: facility, Defect: defect, Cause: "age", From: *at(from), To: at(to), Ticket: true}
}

func ticket(facility, defect string, opened, closed int, members ...string) Ticket {
	return Ticket{Facility: facility, Defect: defect, OpenedAt: *at(opened), ClosedAt: at(closed), Of: "comm_lost", Members: members, WaitS: 60}
}

// the end of every story, in minutes
const end = 1000

func TestWhatATicketStandsFor(t *testing.T) {
	for name, x := range map[string]struct {
		truth   []Truth
		tickets []Ticket
		want    Score // of all
		wrong   string
	}{
		"found": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("A", "lamp_out", 12, 51)},
			Score{Truths: 1, Tickets: 1, TruePositives: 1, Delay: Delays{120, 120, 120}}, ""},
		"found when its wait was just over": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("A", "lamp_out", 51, 52)},
			Score{Truths: 1, Tickets: 1, TruePositives: 1, Delay: Delays{2460, 2460, 2460}}, ""},
		"too late": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("A", "lamp_out", 52, 53)},
			Score{Truths: 1, Tickets: 1, FalsePositives: 1, Misses: 1}, "miss A false A"},
		"before it was so": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("A", "lamp_out", 5, 9)},
			Score{Truths: 1, Tickets: 1, FalsePositives: 1, Misses: 1}, "miss A false A"},
		"another facility": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("B", "lamp_out", 12, 51)},
			Score{Truths: 1, Tickets: 1, FalsePositives: 1, Misses: 1}, "miss A false B"},
		"another defect": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("A", "comm_lost", 12, 51)},
			Score{Truths: 1, Tickets: 1, FalsePositives: 1, Misses: 1}, "miss A false A"},
		"twice": {[]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{ticket("A", "lamp_out", 12, 20), ticket("A", "lamp_out", 21, 51)},
			Score{Truths: 1, Tickets: 2, TruePositives: 1, Duplicates: 1, Delay: Delays{120, 120, 120}}, "duplicate A"},
		"two, one after the other": {[]Truth{truth("A", "lamp_out", 10, 50), truth("A", "lamp_out", 100, 0)}, []Ticket{ticket("A", "lamp_out", 11, 50), ticket("A", "lamp_out", 103, 0)},
			Score{Truths: 2, Tickets: 2, TruePositives: 2, Delay: Delays{180, 180, 180}}, ""},
		"one that stays open": {[]Truth{truth("A", "lamp_out", 10, 50), truth("A", "lamp_out", 60, 70)}, []Ticket{ticket("A", "lamp_out", 11, 75)},
			Score{Truths: 2, Tickets: 1, TruePositives: 1, Covered: 1, Delay: Delays{60, 60, 60}}, ""},
		"members": {[]Truth{truth("C", "circuit_silent", 10, 50), truth("A", "comm_lost", 5, 40)}, []Ticket{ticket("C", "circuit_silent", 14, 51, "A", "B", "D")},
			Score{Truths: 2, Tickets: 1, TruePositives: 1, Covered: 1, Delay: Delays{540, 540, 540}}, ""},
		"a cause that is none": {[]Truth{truth("A", "comm_lost", 10, 50)}, []Ticket{ticket("C", "circuit_silent", 14, 51, "A", "B", "D")},
			Score{Truths: 1, Tickets: 1, FalsePositives: 1, Covered: 1, Delay: Delays{240, 240, 240}}, "false C"},
		"a cause that came after the first tickets": {[]Truth{truth("A", "comm_lost", 10, 50), truth("B", "comm_lost", 10, 50)}, []Ticket{ticket("A", "comm_lost", 11, 50), ticket("C", "circuit_silent", 14, 51, "A", "B")},
			Score{Truths: 2, Tickets: 2, TruePositives: 2, Covered: 1, Delay: Delays{240, 240, 240}}, ""},
		"a cause that tells nothing new": {[]Truth{truth("A", "comm_lost", 10, 50)}, []Ticket{ticket("A", "comm_lost", 14, 50), ticket("C", "circuit_silent", 14, 51, "A")},
			Score{Truths: 1, Tickets: 2, TruePositives: 1, FalsePositives: 1, Delay: Delays{240, 240, 240}}, "false C"},
		"members of another defect": {[]Truth{truth("A", "shaft_flooded", 10, 50)}, []Ticket{{Facility: "area:1", Defect: "street_flooded", Of: "shaft_flooded", OpenedAt: *at(14), Members: []string{"A"}, WaitS: 60}},
			Score{Truths: 1, Tickets: 1, TruePositives: 1, Covered: 1, Delay: Delays{240, 240, 240}}, ""},
		"circuits behind their cabinet": {[]Truth{truth("K:1", "circuit_silent", 10, 50), truth("K:2", "circuit_silent", 11, 50)}, []Ticket{ticket("K", "cabinet_silent", 14, 51, "A", "B")},
			Score{Truths: 2, Tickets: 1, TruePositives: 1, Covered: 2, Delay: Delays{240, 240, 240}}, ""},
		"ended too soon": {[]Truth{truth("A", "lamp_out", 10, 50), truth("B", "lamp_out", end-1, 0)}, []Ticket{{Facility: "A", Defect: "lamp_out", OpenedAt: *at(12), WaitS: 120}},
			Score{Truths: 1, Tickets: 1, TruePositives: 1, CutOff: 1, Delay: Delays{120, 120, 120}}, ""},
		"began within the wait of a rule that has opened nothing": {[]Truth{truth("A", "lamp_dim", end-14, 0), truth("B", "lamp_dim", end-21, 0)}, []Ticket{{Rule: "lamp_dim", WaitS: 1200}},
			Score{Truths: 1, Misses: 1, CutOff: 1}, "miss B"},
		"not looked for": {[]Truth{{Facility: "A", Defect: "cover_rattle", From: *at(10)}, {Facility: "B", Defect: "cover_rattle", From: *at(10)}}, []Ticket{ticket("B", "cover_rattle", 12, 20)},
			Score{Tickets: 1, TruePositives: 1, Unwanted: 2}, ""},
		"nothing": {nil, nil, Score{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := Compare(x.truth, x.tickets, *at(end))
			got := r.Total
			got.Defect, got.Precision, got.Recall = "", 0, 0
			if got != x.want {
				t.Errorf("got  %+v\nwant %+v", got, x.want)
			}
			var wrong []string
			for _, w := range r.Wrong {
				wrong = append(wrong, w.What+" "+w.Facility)
			}
			if s := strings.Join(wrong, " "); s != x.wrong {
				t.Errorf("wrong %q, want %q", s, x.wrong)
			}
		})
	}
}

// What others of its sort took longer to be told of is no miss at the end.
func TestWhatADeviceHadNoTimeToTellIsNoMiss(t *testing.T) {
	slow := []Truth{truth("A", "battery_low", 10, 0), truth("B", "battery_low", end-85, 0), truth("C", "battery_low", end-100, 0)}
	if s := Compare(slow, []Ticket{ticket("A", "battery_low", 100, 0)}, *at(end)).Total; s.CutOff != 1 || s.Misses != 1 {
		t.Errorf("%d left out and %d missed, want B and C", s.CutOff, s.Misses)
	}
}

// What has to be watched for weeks is due when its truth says so, whatever others of its
// sort took, and not at all where it was over by then.
func TestWhatIsDueLaterIsNoMissBefore(t *testing.T) {
	due := func(facility string, to, due int) Truth {
		x := truth(facility, "bridge_drift", 10, to)
		x.Due = at(due)
		return x
	}
	for name, x := range map[string]struct {
		truth       Truth
		cut, missed int
	}{
		"due after the end":     {due("A", 0, end+1), 1, 0},
		"due at the end":        {due("A", 0, end), 0, 1},
		"over before it is due": {due("A", 400, 500), 1, 0},
		"over after it was due": {due("A", 600, 500), 0, 1},
		"found before":          {due("B", 0, end+1), 0, 0},
	} {
		found := []Ticket{ticket("B", "bridge_drift", 300, 0), ticket("C", "bridge_drift", end-1, 0)}
		s := Compare([]Truth{x.truth, due("C", 0, 990)}, found, *at(end)).Total
		if s.CutOff != x.cut || s.Misses != x.missed {
			t.Errorf("%s: %d left out and %d missed, want %d and %d", name, s.CutOff, s.Misses, x.cut, x.missed)
		}
	}
}

// A ticket about the past bears a time of the device's clock.
func TestAClockMayBeASecondOff(t *testing.T) {
	for early, right := range map[time.Duration]int{time.Second: 1, time.Second + time.Millisecond: 0} {
		tk := ticket("A", "lamp_out", 10, 50)
		tk.OpenedAt = tk.OpenedAt.Add(-early)
		if r := Compare([]Truth{truth("A", "lamp_out", 10, 50)}, []Ticket{tk}, *at(end)); r.Total.TruePositives != right {
			t.Errorf("%v before: %d right, want %d", early, r.Total.TruePositives, right)
		}
	}
}

func TestTheTable(t *testing.T) {
	r := Compare([]Truth{truth("A", "lamp_out", 10, 50), truth("B", "lamp_out", 20, 0)}, []Ticket{ticket("A", "lamp_out", 12, 51), ticket("M", "cover_displaced", 5, 6)}, *at(end))
	var b strings.Builder
	if err := r.Write(&b, 1); err != nil {
		t.Fatal(err)
	}
	want := `           defect  truths  tickets  right  false  missed  duplicates  precision  recall  delay p50   p95   max
  cover_displaced       0        1      0      1       0           0     0.0000       –          –     –     –
         lamp_out       2        1      1      0       1           0     1.0000  0.5000       2m0s  2m0s  2m0s
            total       2        2      1      1       1           0     0.5000  0.5000       2m0s  2m0s  2m0s
0 truths only behind a common cause or a ticket that was open already; 0 left out, they or the recording ended too soon; 0 that the rules do not look for
miss: lamp_out of B (age) at 2026-06-01T00:20:00.000Z
… and 1 more
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestALineThatCannotBeReadIsToldWithItsNumber(t *testing.T) {
	for text, want := range map[string]string{
		"{\"facility\":\"A\",\"defect\":\"x\",\"from\":\"2026-06-01T00:00:00Z\"}\n{}\n": "line 2: want facility, defect and from",
		"{\"facility\":7}\n": "line 1: json:",
	} {
		if _, err := ReadTruth(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadTickets(strings.NewReader(`{"facility":"A","defect":"x","from":"2026-06-01T00:00:00Z"}`)); err == nil || !strings.Contains(err.Error(), "opened_at") {
		t.Errorf("a truth file as tickets: %v", err)
	}
}
