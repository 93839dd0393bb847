package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Explanation is why a ticket was opened, and what became of it.
type Explanation struct {
	Ticket   int64
	Number   string
	Facility devices.FacilityID
	Summary  devices.Title
	Evidence *rules.Evidence // nil of tickets that no rule has opened, or before evidence was kept
	History  []Explained     // what came after the opening, the oldest first

	opened Event
	found  int64 // event time, Unix ms
}

// Explained is a line of a ticket's history with what decided it.
type Explained struct {
	Event
	Evidence *rules.Evidence // nil where people did it, or before this was kept
}

// Explain looks up why a ticket was opened, by its id or its number;
// devices.ErrNotFound if there is none.
func Explain(ctx context.Context, db *database.DB, ticket string) (Explanation, error) {
	var x Explanation
	var text string
	id, err := strconv.ParseInt(ticket, 10, 64)
	if err != nil {
		id = 0
	}
	err = database.Found(db.QueryRow(ctx, `SELECT id, number, facility, summary_zh, summary_en, event_at, evidence FROM ticket WHERE id=? OR number=?`, id, ticket).
		Scan(&x.Ticket, &x.Number, &x.Facility, &x.Summary.ZH, &x.Summary.EN, &x.found, &text))
	if err == nil {
		x.Evidence, err = keptEvidence(text)
	}
	if err == nil {
		err = x.read(ctx, db)
	}
	if err != nil {
		return x, fmt.Errorf("explain ticket %s: %w", ticket, err)
	}
	return x, nil
}

// read reads the history.
func (x *Explanation) read(ctx context.Context, db *database.DB) error {
	all, err := database.All(ctx, db, func(row database.Row) (Explained, error) {
		var h Explained
		var text string
		err := row.Scan(&h.ID, &h.Ticket, &h.At, &h.Who, &h.What, &h.Note, &text)
		if err == nil {
			h.Evidence, err = keptEvidence(text)
		}
		return h, err
	}, `SELECT id, ticket, at, who, what, note, evidence FROM ticket_event WHERE ticket=? ORDER BY id`, x.Ticket)
	for _, h := range all {
		if h.What == "opened" {
			x.opened = h.Event
			continue
		}
		x.History = append(x.History, h)
	}
	return err
}

// Sentences says in words why it was opened; of what a person has found who found
// it when, and what they wrote. None where nothing is known.
func (x *Explanation) Sentences(zone *time.Location) []devices.Title {
	var noted []devices.Title
	if x.opened.Note != "" {
		noted = []devices.Title{{ZH: "说明：" + x.opened.Note, EN: "What was noted: " + x.opened.Note}}
	}
	switch o := &x.opened; {
	case x.Evidence != nil && x.Evidence.Turn != "": // it goes on from a ticket that was closed by hand
		return append(noted, x.Evidence.Sentences(zone)...)
	case x.Evidence != nil:
		return x.Evidence.Sentences(zone)
	case o.Who != "" && o.Who != telemetry:
		out := []devices.Title{{
			ZH: fmt.Sprintf("由 %s 于 %s 登记，发现时间 %s。", o.Who, moment(o.At, zone), moment(x.found, zone)),
			EN: fmt.Sprintf("%s reported it at %s, found at %s.", o.Who, moment(o.At, zone), moment(x.found, zone)),
		}}
		if o.Note != "" {
			out = append(out, devices.Title{ZH: "说明：" + o.Note, EN: "What they wrote: " + o.Note})
		}
		return out
	}
	return noted
}

// deeds are the lines of a history as sentences say them.
func deeds(what string) devices.Title {
	if t, ok := map[string]devices.Title{"acknowledged": {ZH: "受理", EN: "acknowledged"}, "closed": {ZH: "结案", EN: "closed"}, "severity": {ZH: "级别变化", EN: "its severity changed"}, "words": {ZH: "情形加重", EN: "something worse to be seen"}, "revised": {ZH: "重算", EN: "summed anew"}}[what]; ok {
		return t
	}
	return devices.Title{ZH: what, EN: what}
}

// Title is the line in a few words: when, what and who.
func (h *Explained) Title(zone *time.Location) devices.Title {
	who, did := devices.Title{ZH: h.Who, EN: h.Who}, deeds(h.What)
	switch h.Who {
	case telemetry:
		who.ZH = "监测"
	case ruleSet:
		who = devices.Title{ZH: "规则变更", EN: "change of rules"}
	}
	t := devices.Title{ZH: fmt.Sprintf("%s %s（%s）", moment(h.At, zone), did.ZH, who.ZH), EN: fmt.Sprintf("%s %s (%s)", moment(h.At, zone), did.EN, who.EN)}
	if h.Note != "" {
		t.ZH, t.EN = t.ZH+"："+h.Note, t.EN+": "+h.Note
	}
	return t
}

// Sentences says in words what decided it, none where nothing is kept of that.
func (h *Explained) Sentences(zone *time.Location) []devices.Title {
	if h.Evidence == nil {
		return nil
	}
	return h.Evidence.Sentences(zone)
}

func moment(ms int64, zone *time.Location) string {
	return time.UnixMilli(ms).In(zone).Format("2006-01-02 15:04:05")
}

// evidence is what is kept of why t comes about.
func evidence(t *rules.Transition) (string, error) {
	if t.Evidence == nil {
		return "", nil
	}
	b, err := json.Marshal(t.Evidence)
	if err != nil {
		return "", fmt.Errorf("evidence: %w", err)
	}
	return string(b), nil
}

// keptEvidence is what evidence wrote, nil of "".
func keptEvidence(text string) (x *rules.Evidence, err error) {
	if text != "" {
		if err = json.Unmarshal([]byte(text), &x); err != nil {
			return nil, fmt.Errorf("evidence: %w", err)
		}
	}
	return x, nil
}
