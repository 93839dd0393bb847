package load

import (
	"crypto/rand"
	"fmt"
	"io"

	"lamplighter/devices"
	"lamplighter/simulators/fleet"
)

// Census writes n facilities of a city as large as you like: of ten, six are
// lamps on circuits and four are covers, and one in ten thousand is a bridge.
// Their devices are called LD-000001 and so on, as in a Run.
func Census(out io.Writer, n int, prefix string, passwords bool) error {
	w := fleet.CensusWriter{}
	if passwords {
		w.Password = func(string) string { return rand.Text() }
	}
	if err := w.Begin(out, []string{"displacement_mm"}); err != nil {
		return fmt.Errorf("write census: %w", err)
	}
	for i := range n {
		f := facility(i, prefix)
		if err := w.Write(&f); err != nil {
			return fmt.Errorf("write census: %w", err)
		}
	}
	if err := w.End(); err != nil {
		return fmt.Errorf("write census: %w", err)
	}
	return nil
}

func facility(i int, prefix string) fleet.Facility {
	f := fleet.Facility{ID: fmt.Sprintf("%s%06d", prefix, i+1), Lon: 119.1 + float64(i%1000)*0.0004, Lat: 25.9 + float64(i/1000)*0.0004, ExpectS: 300,
		Area: devices.AreaCode(fmt.Sprintf("350102%03d%03d", 1+i/20000%50, 1+i/1000%20)), InCharge: "城市管理局", Installed: "2024-05-01"}
	switch {
	case i%10000 == 9999:
		f.Kind, f.Name, f.Limits = devices.Bridge, fmt.Sprintf("%d 号桥", i+1), map[string]float64{"displacement_mm": 40}
	case i%10 < 6:
		lamp := i/10*6 + i%10
		f.Kind, f.Name = devices.Streetlight, fmt.Sprintf("%d 号路灯", i+1)
		f.Cabinet, f.Circuit = fmt.Sprintf("LC-%05d", lamp/180), fmt.Sprintf("C%d", lamp/60%3+1)
	default:
		f.Kind, f.Name = devices.Manhole, fmt.Sprintf("%d 号井盖", i+1)
	}
	return f
}
