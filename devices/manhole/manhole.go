// Package manhole knows what a smart manhole cover (智能井盖) measures: its
// channels, units and plausible ranges. It judges nothing: limits are rules.
package manhole

import "lamplighter/devices"

// Channels are a cover's own channels; see devices.CommonChannels for the rest.
func Channels() []devices.Channel {
	return []devices.Channel{
		{Name: "tilt_deg", Unit: "deg", Type: devices.Number, Min: 0, Max: 180, Title: devices.Title{ZH: "倾角", EN: "Tilt"}},
		{Name: "cover_open", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "井盖开启", EN: "Cover open"}},
		{Name: "cover_missing", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "井盖缺失", EN: "Cover missing"}},
		{Name: "lift_mm", Unit: "mm", Type: devices.Number, Min: -1000, Max: 5000, Title: devices.Title{ZH: "抬升高度", EN: "Lift"}},
		{Name: "vibration_mg", Unit: "mg", Type: devices.Number, Min: 0, Max: 200000, Title: devices.Title{ZH: "振动", EN: "Vibration"}},
		{Name: "shock_count", Type: devices.Number, Min: 0, Max: devices.Open(), Title: devices.Title{ZH: "冲击次数", EN: "Shocks"}},
		{Name: "water_level_m", Unit: "m", Type: devices.Number, Min: -5, Max: 50, Title: devices.Title{ZH: "水位", EN: "Water level"}, Aliases: []string{"waterLevel"}},
		{Name: "flooded", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "浸水", EN: "Flooded"}},
		{Name: "methane_pct", Unit: "%", Type: devices.Number, Min: 0, Max: 100, Title: devices.Title{ZH: "甲烷", EN: "Methane"}},
		{Name: "h2s_ppm", Unit: "ppm", Type: devices.Number, Min: 0, Max: 10000, Title: devices.Title{ZH: "硫化氢", EN: "Hydrogen sulphide"}},
		{Name: "co_ppm", Unit: "ppm", Type: devices.Number, Min: 0, Max: 100000, Title: devices.Title{ZH: "一氧化碳", EN: "Carbon monoxide"}},
	}
}
