package rules

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"lamplighter/devices"
)

// Sentences says in words why a ticket was opened, or what happened to it, in the
// city's zone.
func (x *Evidence) Sentences(zone *time.Location) []devices.Title {
	clock := clockIn(zone)
	if x.Turn != "" {
		return x.turnSentences(clock)
	}
	out := []devices.Title{{
		ZH: fmt.Sprintf("由规则 %s 判定（规则集版本 %s）。", x.Rule, x.Version),
		EN: fmt.Sprintf("Rule %s decided it (rule set %s).", x.Rule, x.Version),
	}}
	switch {
	case x.Cause != nil:
		out = append(out, x.Cause.sentence())
		if x.Outage != nil {
			out = append(out, x.Outage.sentence(math.MaxInt64, clock))
		}
	case x.Silent > 0:
		every := lasting(x.Expect)
		out = append(out, devices.Title{
			ZH: fmt.Sprintf("自 %s 起没有收到任何消息；应每 %s上报一次，超过 %g 倍即视为失联。", clock(x.Seen), every.ZH, x.Silent),
			EN: fmt.Sprintf("Nothing was heard since %s; a message is expected every %s, and %g times that counts as silence.", clock(x.Seen), every.EN, x.Silent),
		})
		if x.Outage != nil {
			out = append(out, x.Outage.sentence(int64(x.Silent*float64(x.Expect)), clock))
		}
	case len(x.Sensors) > 0:
		for i := range x.Sensors {
			out = append(out, x.Sensors[i].sentence(clock))
		}
	case x.When == "":
	default:
		out = append(out, devices.Title{ZH: "条件：" + x.When, EN: "Its condition: " + x.When})
	}
	if x.Step != "" {
		s := x.Severity.title()
		out = append(out, devices.Title{ZH: fmt.Sprintf("级别为“%s”：%s 也成立。", s.ZH, x.Step), EN: fmt.Sprintf("It is %s, as %s held too.", s.EN, x.Step)})
	}
	if x.Decided != nil {
		out = append(out, x.Decided.sentence())
	}
	for i := range x.Values {
		out = append(out, x.Values[i].sentence(clock))
	}
	out = append(out, x.lasted(clock))
	if x.Window != nil {
		out = append(out, x.Window.sentence(x.At, clock))
	}
	return out
}

// sentence says it of a ticket that was opened at an instant.
func (w *WindowEvidence) sentence(at int64, clock func(int64) string) devices.Title {
	switch {
	case w.Members == 0:
		return devices.Title{
			ZH: fmt.Sprintf("维护窗口 %s（%s，%s）期间不立案，至 %s 结束。", w.ID, w.Reason, w.By, clock(w.To)),
			EN: fmt.Sprintf("Maintenance window %s (%s, %s) kept it back until %s.", w.ID, w.Reason, w.By, clock(w.To)),
		}
	case w.To > at:
		return devices.Title{
			ZH: fmt.Sprintf("另有 %d 个设施也触发该规则，但处于维护窗口 %s（%s，%s，至 %s）内，未计入。", w.Members, w.ID, w.Reason, w.By, clock(w.To)),
			EN: fmt.Sprintf("%d more are bad, but do not count during maintenance window %s (%s, %s), which lasts until %s.", w.Members, w.ID, w.Reason, w.By, clock(w.To)),
		}
	}
	return devices.Title{
		ZH: fmt.Sprintf("维护窗口 %s（%s，%s）期间其中 %d 个设施未计入，至 %s 结束。", w.ID, w.Reason, w.By, w.Members, clock(w.To)),
		EN: fmt.Sprintf("Maintenance window %s (%s, %s) kept %d of them from counting until %s.", w.ID, w.Reason, w.By, w.Members, clock(w.To)),
	}
}

// sentence says it of a facility that may be silent for so long, ms: after a long
// outage it has that anew.
func (o *OutageEvidence) sentence(allowed int64, clock func(int64) string) devices.Title {
	link := o.Link
	if link != "" {
		link = " " + link + " "
	}
	t := devices.Title{
		ZH: fmt.Sprintf("其间自 %s 至 %s 接收中断（本系统未运行或接入%s断开），无法收到任何消息", clock(o.From), clock(o.To), link),
		EN: fmt.Sprintf("From %s to %s nothing could be heard of it: Lamplighter did not run, or its link%s was down", clock(o.From), clock(o.To), strings.TrimRight(link, " ")),
	}
	if more := o.MS - (o.To - o.From); more > 0 {
		w := lasting(more)
		t.ZH, t.EN = t.ZH+"，此前另中断 "+w.ZH, t.EN+", as for "+w.EN+" before"
	}
	if o.To-o.From >= allowed {
		return devices.Title{ZH: t.ZH + "；恢复后重新计时。", EN: t.EN + "; from then on it had its time anew."}
	}
	return devices.Title{ZH: t.ZH + "；中断时间不计入。", EN: t.EN + "; that does not count."}
}

// lasted says since when the condition held, and how long it had to.
func (x *Evidence) lasted(clock func(int64) string) devices.Title {
	since := x.Since
	if since == 0 || x.Silent > 0 {
		since = x.Pending
	}
	switch wait := lasting(x.ForMS); {
	case x.AtOnce != "":
		return devices.Title{
			ZH: fmt.Sprintf("自 %s 起成立；因 %s 成立，无需等待 %s。", clock(since), x.AtOnce, wait.ZH),
			EN: fmt.Sprintf("It held since %s; as %s held too, %s was not waited for.", clock(since), x.AtOnce, wait.EN),
		}
	case x.ForMS == 0:
		return devices.Title{ZH: fmt.Sprintf("自 %s 起成立，无需等待。", clock(since)), EN: fmt.Sprintf("It held since %s and needs not last.", clock(since))}
	default:
		return devices.Title{
			ZH: fmt.Sprintf("自 %s 起成立；持续 %s后，于 %s 立案。", clock(since), wait.ZH, clock(x.At)),
			EN: fmt.Sprintf("It held since %s; it has to last %s, and the ticket was opened at %s.", clock(since), wait.EN, clock(x.At)),
		}
	}
}

func (c *CauseEvidence) sentence() devices.Title {
	by := map[string]string{Circuit.String(): "回路", Cabinet.String(): "配电柜", Feeder.String(): "馈线", Community.String(): "社区", Street.String(): "街道", District.String(): "区县", City.String(): "城市"}[c.By]
	t := devices.Title{
		ZH: fmt.Sprintf("该%s下 %d 个设施中有 %d 个同时触发规则 %s", by, c.Total, c.Bad, c.Of),
		EN: fmt.Sprintf("%d of the %d facilities of the %s were bad at once by rule %s", c.Bad, c.Total, c.By, c.Of),
	}
	if c.WithinMS > 0 {
		w := lasting(c.WithinMS)
		t.ZH, t.EN = t.ZH+"（"+w.ZH+"内）", t.EN+", within "+w.EN+" of each other"
	}
	switch share := strconv.FormatFloat(c.Share*100, 'f', -1, 64) + "%"; {
	case c.Share > 0 && c.AtLeast > 0:
		return devices.Title{ZH: fmt.Sprintf("%s；至少需 %d 个且占 %s。", t.ZH, c.AtLeast, share), EN: fmt.Sprintf("%s; it takes at least %d and %s.", t.EN, c.AtLeast, share)}
	case c.Share > 0:
		return devices.Title{ZH: fmt.Sprintf("%s；至少需占 %s。", t.ZH, share), EN: fmt.Sprintf("%s; it takes %s.", t.EN, share)}
	default:
		return devices.Title{ZH: fmt.Sprintf("%s；至少需 %d 个。", t.ZH, c.AtLeast), EN: fmt.Sprintf("%s; it takes at least %d.", t.EN, c.AtLeast)}
	}
}

func (v *EvidenceValue) sentence(clock func(int64) string) devices.Title {
	name := named(v.Name, v.Title)
	t, value := devices.Title{ZH: name.ZH + "暂时无法得出", EN: name.EN + " could not be told yet"}, v.value()
	if v.At == 0 {
		t = devices.Title{ZH: name.ZH + "从未上报，视为没有该传感器", EN: name.EN + " was never reported, as if there was no such sensor"}
	}
	if value.EN != "" {
		t = devices.Title{ZH: fmt.Sprintf("%s为 %s（%s）", name.ZH, value.ZH, clock(v.At)), EN: fmt.Sprintf("%s was %s at %s", name.EN, value.EN, clock(v.At))}
	}
	if u := v.Usual; u != nil {
		by := devices.Title{}
		if u.On != "" {
			by = devices.Title{ZH: "按当前 " + u.On + " ", EN: " at this " + u.On}
		}
		t.ZH = fmt.Sprintf("%s：%s 均值 %.5g %s，%s通常为 %.5g ± %.2g %s", t.ZH, u.Channel, u.Value, v.Unit, by.ZH, u.Expected, u.Band, v.Unit)
		t.EN = fmt.Sprintf("%s: %s averaged %.5g %s, and %.5g ± %.2g %s is usual%s", t.EN, u.Channel, u.Value, v.Unit, u.Expected, u.Band, v.Unit, by.EN)
	}
	if v.Stale {
		t.ZH, t.EN = t.ZH+"，已过期或存疑，不予采信", t.EN+", too old or doubtful to be believed"
	}
	if v.Limit != nil {
		from := map[string]devices.Title{
			fromFacility: {ZH: "该设施自身限值", EN: "the facility's own"}, fromModel: {ZH: "该型号限值", EN: "its model's"}, fromRule: {ZH: "规则默认限值", EN: "the rule's default"},
		}[v.From]
		t.ZH, t.EN = fmt.Sprintf("%s；限值 %g %s，%s", t.ZH, *v.Limit, v.Unit, from.ZH), fmt.Sprintf("%s; its limit is %g %s, %s", t.EN, *v.Limit, v.Unit, from.EN)
		if len(v.Tiers) == tiers {
			t.ZH = fmt.Sprintf("%s（黄色·注意 %g、橙色·预警 %g、红色·警报 %g）", t.ZH, v.Tiers[0], v.Tiers[1], v.Tiers[2])
			t.EN = fmt.Sprintf("%s (yellow, notice: %g; orange, warning: %g; red, alarm: %g)", t.EN, v.Tiers[0], v.Tiers[1], v.Tiers[2])
		}
		if v.Usual != nil && *v.Limit != 0 {
			n := math.Abs(*v.Number / *v.Limit)
			t.ZH, t.EN = fmt.Sprintf("%s（为其 %.1f 倍）", t.ZH, n), fmt.Sprintf("%s (%.1f times that)", t.EN, n)
		}
	}
	return devices.Title{ZH: t.ZH + "。", EN: t.EN + "."}
}

func (m *Measure) sentence() devices.Title {
	name := named(m.Name, m.Title)
	v, l := inUnit(m.Value, m.Unit), inUnit(m.Limit, m.Unit)
	return devices.Title{ZH: fmt.Sprintf("由%s判定：%s，界限为 %s。", name.ZH, v, l), EN: fmt.Sprintf("What decided was %s: %s, and its bound %s.", name.EN, v, l)}
}

// named is how sentences call a channel, or a value of a rule.
func named(name string, title devices.Title) devices.Title {
	t := devices.Title{ZH: name, EN: name}
	if title.ZH != "" && title.ZH != name {
		t.ZH = title.ZH + "（" + name + "）"
	}
	return t
}

// inUnit is a number with its unit.
func inUnit(x float64, unit string) string {
	return strings.TrimSpace(strconv.FormatFloat(x, 'g', 6, 64) + " " + unit)
}

// Amount is a number with its unit in words. Of lamp_ms, which a person does not
// read, it is the hours.
func Amount(x float64, unit string) devices.Title {
	switch unit {
	case "lamp_ms":
		n := strconv.FormatFloat(x/float64(time.Hour.Milliseconds()), 'f', 1, 64)
		return devices.Title{ZH: n + " 灯·小时", EN: n + " lamp-hours"}
	case "lamp_nights":
		n := strconv.FormatFloat(x, 'f', -1, 64)
		return devices.Title{ZH: n + " 灯·夜", EN: n + " lamp-nights"}
	}
	n := inUnit(x, unit)
	return devices.Title{ZH: n, EN: n}
}

// value is "" of what was not known.
func (v *EvidenceValue) value() devices.Title {
	switch {
	case v.Yes != nil && *v.Yes:
		return devices.Title{ZH: "是", EN: "yes"}
	case v.Yes != nil:
		return devices.Title{ZH: "否", EN: "no"}
	case v.Text != nil:
		return devices.Title{ZH: strconv.Quote(*v.Text), EN: strconv.Quote(*v.Text)}
	case v.Number != nil:
		return Amount(*v.Number, v.Unit)
	}
	return devices.Title{}
}

// lasting is a duration in words.
func lasting(ms int64) devices.Title {
	switch s := float64(ms) / 1000; {
	case ms >= 120_000 && ms%60_000 == 0:
		return devices.Title{ZH: fmt.Sprintf("%d 分钟", ms/60_000), EN: fmt.Sprintf("%d minutes", ms/60_000)}
	default:
		return devices.Title{ZH: fmt.Sprintf("%g 秒", s), EN: fmt.Sprintf("%g s", s)}
	}
}
