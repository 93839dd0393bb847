package rules

import (
	"fmt"
	"slices"
	"time"

	"lamplighter/devices"
)

// What an [Evidence] decided after the opening of its ticket: Evidence.Turn.
const (
	turnSeverity = "severity"
	turnWords    = "words"
	turnClosed   = "closed"
)

// turned is why the severity or the words of r at f change, from how they were.
func (e *Engine) turned(f *facility, r *Rule, was alert, at int64) *Evidence {
	a := f.find(r.index)
	x := &Evidence{Turn: turnWords, Rule: r.Name, Version: e.set.version, Since: at, Pending: e.wall, At: e.wall, Severity: r.severity(a.step), Anew: e.paying, Values: e.evidenceValues(f, r)}
	if a.step == was.step {
		w, v := r.wording(a.words), &e.view
		v.f, v.e, v.rule = f, e, r
		x.When, x.Decided = w.When, w.why.measured(v).evidence()
	} else {
		s := &r.Steps[max(a.step, was.step)-1]
		x.Turn, x.Was, x.When, x.Decided = turnSeverity, r.severity(was.step), s.When, e.decided(f, r, a.step, a.words).evidence()
		if a.step < was.step {
			x.Clear = s.Clear
		}
	}
	if x.Anew {
		x.Since = e.wall
	}
	return x
}

// Switched tells whether it came about because other rules were switched on, or the
// census has other limits: no reading is why.
func (x *Evidence) Switched() bool { return x.Turn == turnSeverity && x.When == "" || x.Anew }

// ending is why the ticket of r at f closes.
func (e *Engine) ending(f *facility, r *Rule, a *alert) *Evidence {
	x := &Evidence{Turn: turnClosed, Rule: r.Name, Version: e.set.version, When: r.When, Clear: r.Clear, Silent: r.Silent, Sensor: r.Sensor != nil, Anew: a.anew && !f.told(r, a.calm), Since: a.calm, Pending: a.quiet, ForMS: r.ClearFor.Milliseconds(), At: e.wall}
	if x.Anew {
		x.Since = a.quiet
	}
	switch {
	case r.Silent > 0:
		x.Seen = f.seen
	case r.Sensor == nil:
		x.Values = e.evidenceValues(f, r)
	}
	return x
}

// told tells whether a reading of what r looks at has come that is later than at.
func (f *facility) told(r *Rule, at int64) bool {
	return slices.ContainsFunc(r.reads, func(c *devices.Channel) bool {
		v, _ := f.value(c.ID, 0)
		return v.at > at
	})
}

// ended makes of the evidence of a common cause that of its end.
func (x *Evidence) ended(r *Rule, quiet int64) *Evidence {
	x.Turn, x.Since, x.Pending, x.ForMS = turnClosed, quiet, quiet, r.ClearFor.Milliseconds()
	return x
}

// title is the severity as people say it.
func (s Severity) title() devices.Title {
	return map[Severity]devices.Title{Info: {ZH: "提示", EN: "info"}, Minor: {ZH: "一般", EN: "minor"}, Major: {ZH: "严重", EN: "major"}, Critical: {ZH: "紧急", EN: "critical"}}[s]
}

// turn says in a sentence what happened to the ticket after its opening.
func (x *Evidence) turn(clock func(int64) string) devices.Title {
	by := devices.Title{ZH: fmt.Sprintf("（规则 %s，规则集版本 %s）。", x.Rule, x.Version), EN: fmt.Sprintf(" (rule %s, rule set %s).", x.Rule, x.Version)}
	because := devices.Title{ZH: x.When + " 成立", EN: x.When + " held"}
	switch {
	case x.Turn == turnSeverity && x.When == "":
		because = devices.Title{ZH: "规则集 " + x.Version + " 启用", EN: "rule set " + x.Version + " was switched on"}
	case x.Clear != "":
		because = devices.Title{ZH: x.Clear + " 成立", EN: x.Clear + " held"}
	case x.Turn == turnClosed || x.Was.Worse(x.Severity):
		because = devices.Title{ZH: x.When + " 不再成立", EN: x.When + " held no longer"}
	}
	if x.Anew {
		because = devices.Title{ZH: "规则或限值变更后，按已知数据 " + because.ZH, EN: because.EN + ", by what was known once the rules or the limits had changed"}
	}
	switch x.Turn {
	case turnSeverity:
		was, now, verb := x.Was.title(), x.Severity.title(), "降"
		if x.Severity.Worse(x.Was) {
			verb = "升"
		}
		return devices.Title{ZH: fmt.Sprintf("于 %s 由“%s”%s为“%s”：%s", clock(x.Since), was.ZH, verb, now.ZH, because.ZH) + by.ZH, EN: fmt.Sprintf("It went from %s to %s at %s, as %s", was.EN, now.EN, clock(x.Since), because.EN) + by.EN}
	case turnWords:
		return devices.Title{ZH: fmt.Sprintf("于 %s 出现更严重的情形：%s", clock(x.Since), because.ZH) + by.ZH, EN: fmt.Sprintf("Something worse was to be seen at %s, as %s", clock(x.Since), because.EN) + by.EN}
	}
	since := x.Since
	switch {
	case x.Kind != "":
		return devices.Title{ZH: fmt.Sprintf("于 %s 结案：普查中该设施的类型已改为 %s，不再适用规则 %s，未经核查。", clock(x.At), x.Kind, x.Rule), EN: fmt.Sprintf("It was closed at %s, as the facility is a %s by the census now, to which rule %s is nothing: not verified.", clock(x.At), x.Kind, x.Rule)}
	case x.Withdrawn:
		return devices.Title{ZH: fmt.Sprintf("于 %s 结案：规则集 %s 不再包含规则 %s，未经核查。", clock(x.At), x.Version, x.Rule), EN: fmt.Sprintf("It was closed at %s, as rule set %s no longer has rule %s: not verified.", clock(x.At), x.Version, x.Rule)}
	case x.Cause != nil:
		c := x.Cause
		because = devices.Title{ZH: fmt.Sprintf("%d 个设施中只有 %d 个仍触发规则 %s，不足所需的一半", c.Total, c.Bad, c.Of), EN: fmt.Sprintf("only %d of %d facilities were still bad by rule %s, less than half of what it takes", c.Bad, c.Total, c.Of)}
	case x.Silent > 0:
		since = x.Pending
		because = devices.Title{ZH: "重新收到消息", EN: "it was heard again"}
	case x.Sensor:
		because = devices.Title{ZH: "传感器恢复正常", EN: "its sensors were good"}
	}
	wait := lasting(x.ForMS)
	return devices.Title{ZH: fmt.Sprintf("自 %s 起%s；持续 %s后，于 %s 结案", clock(since), because.ZH, wait.ZH, clock(x.At)) + by.ZH, EN: fmt.Sprintf("From %s on %s; that lasted %s, and the ticket was closed at %s", clock(since), because.EN, wait.EN, clock(x.At)) + by.EN}
}

// turnSentences says it with the numbers behind it.
func (x *Evidence) turnSentences(clock func(int64) string) []devices.Title {
	out := []devices.Title{x.turn(clock)}
	if x.Decided != nil {
		out = append(out, x.Decided.sentence())
	}
	for i := range x.Values {
		if x.Values[i].At != 0 { // of the sensors that are not there the opening has told
			out = append(out, x.Values[i].sentence(clock))
		}
	}
	return out
}

// clockIn writes instants as the sentences do.
func clockIn(zone *time.Location) func(int64) string {
	return func(ms int64) string { return time.UnixMilli(ms).In(zone).Format("2006-01-02 15:04:05") }
}
