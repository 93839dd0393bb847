package bridge

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tone is a sine with noise of a standard deviation, for a time at a rate.
func tone(seed uint64, hz, amplitude, noise, rate, seconds float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 7))
	out := make([]float64, int(rate*seconds))
	for i := range out {
		out[i] = 9.81 + amplitude*math.Sin(2*math.Pi*hz*float64(i)/rate+1) + noise*r.NormFloat64()
	}
	return out
}

func TestFeaturesOfAToneInNoise(t *testing.T) {
	var s Spectrum
	for i, c := range []struct{ hz, rate, seconds float64 }{{3.42, 500, 5}, {3.42, 100, 20}, {3.31, 100, 20}, {0.7, 100, 10}, {41.3, 100, 2.5}, {1.9, 50, 60}} {
		f := s.Of(tone(uint64(i), c.hz, 0.02, 0.01, c.rate, c.seconds), c.rate)
		if math.Abs(f.Frequency-c.hz) > 0.05/c.seconds+0.005*c.hz {
			t.Errorf("%g Hz in %g s at %g/s: found %g", c.hz, c.seconds, c.rate, f.Frequency)
		}
		if want := math.Sqrt(0.02*0.02/2 + 0.01*0.01); math.Abs(f.RMS-want) > 0.15*want {
			t.Errorf("%g Hz: rms %g, want some %g", c.hz, f.RMS, want)
		}
		if f.Peak < 0.02 || f.Peak > 0.08 {
			t.Errorf("%g Hz: peak %g", c.hz, f.Peak)
		}
	}
}

func TestNoiseAndStillnessHaveNoFrequency(t *testing.T) {
	var s Spectrum
	found := 0
	for seed := range uint64(200) {
		if f := s.Of(tone(seed, 0, 0, 0.01, 100, 20), 100); !math.IsNaN(f.Frequency) {
			found++
		}
	}
	if found > 4 {
		t.Errorf("a frequency in %d of 200 stretches of noise, want next to none", found)
	}
	for _, x := range [][]float64{make([]float64, 500), tone(1, 3, 1, 0, 100, 0.5), {1}} {
		if f := s.Of(x, 100); !math.IsNaN(f.Frequency) {
			t.Errorf("%d samples: found %g Hz", len(x), f.Frequency)
		}
	}
	if f := s.Of(make([]float64, 500), 100); f.RMS != 0 || f.Peak != 0 {
		t.Errorf("a still sensor moves by %+v", f)
	}
}

func TestNamesOfFeatures(t *testing.T) {
	for in, want := range map[string][3]string{
		"acceleration_z_ms2": {"acceleration_rms_ms2", "acceleration_peak_ms2", "frequency_hz"},
		"acceleration_ms2":   {"acceleration_rms_ms2", "acceleration_peak_ms2", "frequency_hz"},
		"acceleration_x_ms2": {"acceleration_x_rms_ms2", "acceleration_x_peak_ms2", "acceleration_x_frequency_hz"},
		"strain_ue":          {"strain_rms_ue", "strain_peak_ue", "strain_frequency_hz"},
		"geophone":           {"geophone_rms", "geophone_peak", "geophone_frequency_hz"},
	} {
		if a, b, c := FeatureNames(in); [3]string{a, b, c} != want {
			t.Errorf("%s: %s, %s, %s", in, a, b, c)
		}
	}
}

func BenchmarkSpectrum(b *testing.B) {
	var s Spectrum
	x := tone(1, 3.42, 0.02, 0.01, 500, 5)
	b.ReportAllocs()
	for b.Loop() {
		s.Of(x, 500)
	}
}
