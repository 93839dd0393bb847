package codec

import "lamplighter/devices"

// factor turns a value in one unit into another: v*mul + add.
type factor struct{ mul, add float64 }

// factors by "from>to"; the unit names are those of channels, the words that
// devices use for them, and SenML's (RFC 8428, section 12.1).
var factors = map[string]factor{
	"rad>deg": {57.29577951308232, 0}, "mrad>deg": {0.05729577951308232, 0},
	"F>Cel": {5.0 / 9, -160.0 / 9}, "K>Cel": {1, -273.15},
	"cm>mm": {10, 0}, "m>mm": {1000, 0}, "um>mm": {0.001, 0},
	"mm>m": {0.001, 0}, "cm>m": {0.01, 0},
	"g>m/s2": {9.80665, 0}, "mg>m/s2": {0.00980665, 0}, "g>mg": {1000, 0}, "m/s2>mg": {1000 / 9.80665, 0},
	"mV>V": {0.001, 0}, "kV>V": {1000, 0}, "mA>A": {0.001, 0}, "A>mA": {1000, 0},
	"kW>W": {1000, 0}, "Wh>kWh": {0.001, 0}, "J>kWh": {1 / 3.6e6, 0},
	"N>kN": {0.001, 0}, "/>%": {100, 0}, "ppm>%": {0.0001, 0}, "%>ppm": {10000, 0},
}

var sameUnit = map[string]string{
	"C": "Cel", "°C": "Cel", "celsius": "Cel", "°": "deg", "degree": "deg", "degrees": "deg",
	"ms2": "m/s2", "dBW": "", "µe": "ue", "με": "ue", "um/m": "ue", "%RH": "%", "percent": "%", "°F": "F", "lux": "lx",
}

// convert brings v, which came in unit, to the unit of its channel.
func (d *Decoder) convert(v *devices.Value, unit string) *devices.Refusal {
	if u, ok := sameUnit[unit]; ok {
		unit = u
	}
	ch := v.Channel
	if unit == ch.Unit || ch.Unknown || v.Quality == devices.Fault {
		return nil
	}
	f, ok := factors[unit+">"+ch.Unit]
	if !ok || ch.Type != devices.Number {
		return d.refuse(devices.CodeUnit, "channel %s is in %q and cannot be read from %q", ch.Name, ch.Unit, clip(unit))
	}
	v.Num = v.Num*f.mul + f.add
	if v.Quality == devices.Implausible || v.Quality == devices.Good {
		v.Quality = devices.Good
		if !ch.Plausible(v.Num) {
			v.Quality = devices.Implausible
		}
	}
	return nil
}
