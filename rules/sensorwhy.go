package rules

import (
	"fmt"
	"math"

	"lamplighter/devices"
)

// SensorEvidence is a sensor that is faulty, or the clock.
type SensorEvidence struct {
	Channel string        `json:"channel,omitempty"` // "" = the clock
	Title   devices.Title `json:"title"`
	Unit    string        `json:"unit,omitempty"`
	What    string        `json:"what"`  // stuck, dead, spikes or clock
	Since   int64         `json:"since"` // event time of its first value that was so, or of its last that was good
	Value   float64       `json:"value"` // its last; of spikes how many there were, of the clock the seconds that it is behind
}

// faultySensors is what is wrong with those of f.
func (e *Engine) faultySensors(f *facility) (out []SensorEvidence) {
	s := f.sensors()
	all := e.dict.All()
	for _, p := range s.probes {
		c := all[p.channel]
		x := SensorEvidence{Channel: c.Name, Title: c.Title, Unit: c.Unit, What: p.why, Since: p.since, Value: p.last}
		switch p.why {
		case "":
			continue
		case dead:
			x.Since = p.at
		case spikes:
			x.Since, x.Value = p.spikes[0], float64(len(p.spikes))
		}
		out = append(out, x)
	}
	if s.clock != 0 {
		out = append(out, SensorEvidence{What: wrong, Since: e.wall, Value: float64(s.clock) / 1000})
	}
	return out
}

// sentence says it in words.
func (x *SensorEvidence) sentence(clock func(int64) string) devices.Title {
	name := devices.Title{ZH: x.Title.ZH + "（" + x.Channel + "）", EN: x.Channel}
	switch x.What {
	case stuck:
		return devices.Title{ZH: fmt.Sprintf("%s自 %s 起一直是 %g %s，而其他传感器在变化：传感器卡死。", name.ZH, clock(x.Since), x.Value, x.Unit),
			EN: fmt.Sprintf("%s has said exactly %g %s since %s while other sensors moved: it is stuck.", name.EN, x.Value, x.Unit, clock(x.Since))}
	case dead:
		return devices.Title{ZH: fmt.Sprintf("%s自 %s（%g %s）之后没有有效读数，而其他通道仍在上报：传感器失效。", name.ZH, clock(x.Since), x.Value, x.Unit),
			EN: fmt.Sprintf("%s has said nothing that can be since %s (%g %s) while other channels came: it is dead.", name.EN, clock(x.Since), x.Value, x.Unit)}
	case spikes:
		return devices.Title{ZH: fmt.Sprintf("%s自 %s 起出现 %g 次单点跳变，其他传感器没有同时变化：接触不良或干扰。", name.ZH, clock(x.Since), x.Value),
			EN: fmt.Sprintf("%s jumped and came back %g times since %s, and no other sensor moved with it: a bad contact.", name.EN, x.Value, clock(x.Since))}
	}
	by := lasting(int64(math.Abs(x.Value)) * 1000)
	if x.Value < 0 {
		return devices.Title{ZH: fmt.Sprintf("设备时钟快 %s：其时间不可信。", by.ZH), EN: fmt.Sprintf("The device's clock is %s ahead: its times cannot be believed.", by.EN)}
	}
	return devices.Title{ZH: fmt.Sprintf("设备时钟慢 %s：其读数被当作历史。", by.ZH), EN: fmt.Sprintf("The device's clock is %s behind: what it says counts as history.", by.EN)}
}
