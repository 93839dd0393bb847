package devices

// CommonChannels are the channels that a device of any kind may have: its supply, its radio, its
// surroundings. Plausible ranges are those of the physical quantity, not limits.
func CommonChannels() []Channel {
	return []Channel{
		{Name: "battery_v", Unit: "V", Type: Number, Min: 0, Max: 60, Title: Title{ZH: "电池电压", EN: "Battery voltage"}, Aliases: []string{"batteryVoltage"}},
		{Name: "battery_pct", Unit: "%", Type: Number, Min: 0, Max: 100, Title: Title{ZH: "电池电量", EN: "Battery level"}, Aliases: []string{"batteryLevel"}},
		{Name: "battery_low", Type: Bool, Min: 0, Max: 1, Title: Title{ZH: "电池电量低", EN: "Battery low"}, Aliases: []string{"batteryLevelTooLow"}},
		{Name: "rssi_dbm", Unit: "dBm", Type: Number, Min: -200, Max: 20, Title: Title{ZH: "信号强度", EN: "Signal strength"}},
		{Name: "snr_db", Unit: "dB", Type: Number, Min: -50, Max: 60, Title: Title{ZH: "信噪比", EN: "Signal to noise"}},
		{Name: "temperature_c", Unit: "Cel", Type: Number, Min: -60, Max: 150, Title: Title{ZH: "温度", EN: "Temperature"}, Aliases: []string{"temp_c", "temperature"}},
		{Name: "humidity_pct", Unit: "%", Type: Number, Min: 0, Max: 100, Title: Title{ZH: "湿度", EN: "Humidity"}, Aliases: []string{"relativeHumidity"}},
		{Name: "tamper", Type: Bool, Min: 0, Max: 1, Title: Title{ZH: "防拆", EN: "Tamper"}},
		{Name: "seq", Type: Number, Min: 0, Max: Open(), Title: Title{ZH: "序号", EN: "Sequence number"}},
	}
}
