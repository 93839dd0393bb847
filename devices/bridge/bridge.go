// Package bridge knows what a bridge monitor measures: channels, units and
// plausible ranges. Limits come from each bridge's design, by the census.
package bridge

import "lamplighter/devices"

// Channels are a bridge's own channels; axes of a vector become channels of their own
// (acceleration_x_ms2).
func Channels() []devices.Channel {
	return []devices.Channel{
		{Name: "displacement_mm", Unit: "mm", Type: devices.Number, Min: -5000, Max: 5000, Title: devices.Title{ZH: "位移", EN: "Displacement"}},
		{Name: "settlement_mm", Unit: "mm", Type: devices.Number, Min: -5000, Max: 5000, Title: devices.Title{ZH: "沉降", EN: "Settlement"}},
		{Name: "inclination_deg", Unit: "deg", Type: devices.Number, Min: -180, Max: 180, Title: devices.Title{ZH: "倾斜", EN: "Inclination"}},
		{Name: "strain_ue", Unit: "ue", Type: devices.Number, Min: -20000, Max: 20000, Title: devices.Title{ZH: "应变", EN: "Strain"}},
		{Name: "crack_mm", Unit: "mm", Type: devices.Number, Min: -10, Max: 500, Title: devices.Title{ZH: "裂缝", EN: "Crack width"}},
		{Name: "acceleration_ms2", Unit: "m/s2", Type: devices.Number, Min: -500, Max: 500, Title: devices.Title{ZH: "加速度", EN: "Acceleration"}},
		{Name: "acceleration_x_ms2", Unit: "m/s2", Type: devices.Number, Min: -500, Max: 500, Title: devices.Title{ZH: "加速度 X", EN: "Acceleration X"}},
		{Name: "acceleration_y_ms2", Unit: "m/s2", Type: devices.Number, Min: -500, Max: 500, Title: devices.Title{ZH: "加速度 Y", EN: "Acceleration Y"}},
		{Name: "acceleration_z_ms2", Unit: "m/s2", Type: devices.Number, Min: -500, Max: 500, Title: devices.Title{ZH: "加速度 Z", EN: "Acceleration Z"}},
		{Name: "acceleration_rms_ms2", Unit: "m/s2", Type: devices.Number, Min: 0, Max: 500, Title: devices.Title{ZH: "加速度有效值", EN: "Acceleration RMS"}},
		{Name: "acceleration_peak_ms2", Unit: "m/s2", Type: devices.Number, Min: 0, Max: 500, Title: devices.Title{ZH: "加速度峰值", EN: "Acceleration peak"}},
		{Name: "acceleration_x_rms_ms2", Unit: "m/s2", Type: devices.Number, Min: 0, Max: 500, Title: devices.Title{ZH: "加速度 X 有效值", EN: "Acceleration X RMS"}},
		{Name: "acceleration_x_peak_ms2", Unit: "m/s2", Type: devices.Number, Min: 0, Max: 500, Title: devices.Title{ZH: "加速度 X 峰值", EN: "Acceleration X peak"}},
		{Name: "acceleration_x_frequency_hz", Unit: "Hz", Type: devices.Number, Min: 0, Max: 5000, Title: devices.Title{ZH: "加速度 X 频率", EN: "Acceleration X frequency"}},
		{Name: "acceleration_y_rms_ms2", Unit: "m/s2", Type: devices.Number, Min: 0, Max: 500, Title: devices.Title{ZH: "加速度 Y 有效值", EN: "Acceleration Y RMS"}},
		{Name: "acceleration_y_peak_ms2", Unit: "m/s2", Type: devices.Number, Min: 0, Max: 500, Title: devices.Title{ZH: "加速度 Y 峰值", EN: "Acceleration Y peak"}},
		{Name: "acceleration_y_frequency_hz", Unit: "Hz", Type: devices.Number, Min: 0, Max: 5000, Title: devices.Title{ZH: "加速度 Y 频率", EN: "Acceleration Y frequency"}},
		{Name: "frequency_hz", Unit: "Hz", Type: devices.Number, Min: 0, Max: 1000, Title: devices.Title{ZH: "频率", EN: "Frequency"}, Aliases: []string{"frequency"}},
		{Name: "force_kn", Unit: "kN", Type: devices.Number, Min: -1000000.0, Max: 1000000.0, Title: devices.Title{ZH: "力", EN: "Force"}},
		{Name: "cable_force_kn", Unit: "kN", Type: devices.Number, Min: 0, Max: 1000000.0, Title: devices.Title{ZH: "索力", EN: "Cable force"}},
		{Name: "wind_speed_ms", Unit: "m/s", Type: devices.Number, Min: 0, Max: 120, Title: devices.Title{ZH: "风速", EN: "Wind speed"}, Aliases: []string{"windSpeed"}},
		{Name: "water_level_m", Unit: "m", Type: devices.Number, Min: -5, Max: 50, Title: devices.Title{ZH: "水位", EN: "Water level"}, Aliases: []string{"waterLevel"}},
		{Name: "vehicles", Type: devices.Number, Min: 0, Max: devices.Open(), Title: devices.Title{ZH: "车流量", EN: "Vehicles"}},
	}
}
