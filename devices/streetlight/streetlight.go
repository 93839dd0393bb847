// Package streetlight knows what a lamp controller, a circuit meter or a lighting
// cabinet measures: channels, units and plausible ranges. TALQ 2.7.1 names are
// aliases where they mean the same quantity in the same unit.
package streetlight

import "lamplighter/devices"

// Channels are the channels of lamps, circuits and cabinets.
func Channels() []devices.Channel {
	return []devices.Channel{
		{Name: "lamp_on", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "灯亮", EN: "Lamp on"}, Aliases: []string{"lampOn"}},
		{Name: "dim_pct", Unit: "%", Type: devices.Number, Min: 0, Max: 100, Title: devices.Title{ZH: "调光", EN: "Dimming level"}},
		{Name: "power_w", Unit: "W", Type: devices.Number, Min: -10, Max: 1000000.0, Title: devices.Title{ZH: "功率", EN: "Active power"}, Aliases: []string{"activePower"}},
		{Name: "rated_power_w", Unit: "W", Type: devices.Number, Min: 0, Max: 1000000.0, Title: devices.Title{ZH: "额定功率", EN: "Rated power"}},
		{Name: "energy_kwh", Unit: "kWh", Type: devices.Number, Min: 0, Max: 1000000000.0, Title: devices.Title{ZH: "电量", EN: "Energy"}},
		{Name: "voltage_v", Unit: "V", Type: devices.Number, Min: 0, Max: 1000, Title: devices.Title{ZH: "电压", EN: "Supply voltage"}, Aliases: []string{"supplyVoltage"}},
		{Name: "current_a", Unit: "A", Type: devices.Number, Min: 0, Max: 5000, Title: devices.Title{ZH: "电流", EN: "Supply current"}, Aliases: []string{"supplyCurrent"}},
		{Name: "power_factor", Type: devices.Number, Min: -1, Max: 1, Title: devices.Title{ZH: "功率因数", EN: "Power factor"}, Aliases: []string{"powerFactor"}},
		{Name: "frequency_hz", Unit: "Hz", Type: devices.Number, Min: 0, Max: 1000, Title: devices.Title{ZH: "频率", EN: "Frequency"}, Aliases: []string{"frequency"}},
		{Name: "leakage_ma", Unit: "mA", Type: devices.Number, Min: 0, Max: 100000.0, Title: devices.Title{ZH: "漏电流", EN: "Leakage current"}},
		{Name: "operating_hours_h", Unit: "h", Type: devices.Number, Min: 0, Max: 1000000.0, Title: devices.Title{ZH: "运行时长", EN: "Operating hours"}, Aliases: []string{"operatingHours"}},
		{Name: "illuminance_lx", Unit: "lx", Type: devices.Number, Min: 0, Max: 200000.0, Title: devices.Title{ZH: "照度", EN: "Illuminance"}},
		{Name: "lamp_failure", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "灯故障", EN: "Lamp failure"}, Aliases: []string{"lampFailure"}},
		{Name: "gear_failure", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "镇流器故障", EN: "Control gear failure"}},
		{Name: "relay_failure", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "继电器故障", EN: "Relay failure"}},
		{Name: "dimming_failure", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "调光故障", EN: "Dimming failure"}, Aliases: []string{"dimmingFailure"}},
		{Name: "day_burner", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "白天亮灯", EN: "Unexpectedly on"}, Aliases: []string{"lampUnexpectedOn"}},
		{Name: "cycling", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "频繁开关", EN: "Cycling"}},
		{Name: "supply_loss", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "失电", EN: "Supply loss"}, Aliases: []string{"supplyLoss"}},
		{Name: "leakage", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "漏电", EN: "Leakage"}, Aliases: []string{"leakageDetected"}},
		{Name: "door_open", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "柜门开启", EN: "Cabinet door open"}, Aliases: []string{"cabinetDoorOpen"}},
		{Name: "relay_on", Type: devices.Bool, Min: 0, Max: 1, Title: devices.Title{ZH: "回路合闸", EN: "Relay closed"}},
		{Name: "tilt_deg", Unit: "deg", Type: devices.Number, Min: 0, Max: 180, Title: devices.Title{ZH: "倾角", EN: "Tilt"}},
	}
}
