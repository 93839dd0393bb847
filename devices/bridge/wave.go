package bridge

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Features are what is kept of a stretch of waveform.
type Features struct {
	RMS       float64 // of what moves: the mean is taken off
	Peak      float64 // the furthest from the mean, ≥ 0
	Frequency float64 // Hz at which most of it moves; NaN where nothing stands out of the noise
}

// FeatureNames are the channels of the features of a channel. The vertical
// acceleration gives the bridge's own ones (acceleration_rms_ms2,
// acceleration_peak_ms2, frequency_hz), every other channel some of its own:
// acceleration_x_ms2 gives acceleration_x_rms_ms2, acceleration_x_peak_ms2 and
// acceleration_x_frequency_hz.
func FeatureNames(channel string) (rms, peak, frequency string) {
	if channel == "acceleration_z_ms2" || channel == "acceleration_ms2" {
		return "acceleration_rms_ms2", "acceleration_peak_ms2", "frequency_hz"
	}
	name, unit := channel, ""
	if i := strings.LastIndexByte(channel, '_'); i > 0 {
		name, unit = channel[:i], channel[i:]
	}
	return name + "_rms" + unit, name + "_peak" + unit, name + "_frequency_hz"
}

// Spectrum makes features. It keeps its memory from one stretch to the next and
// belongs to one goroutine; the zero value is ready.
type Spectrum struct {
	fft    *fourier.FFT
	moves  []float64
	coeffs []complex128
	power  []float64
	sorted []float64
}

// leastSamples is how many make a spectrum worth looking at.
const leastSamples = 64

// lowest is the lowest frequency that is looked at, in turns within the stretch:
// what is slower cannot be told from a load that comes and goes.
const lowest = 3

// Of is the features of samples that were taken rate times a second.
func (s *Spectrum) Of(samples []float64, rate float64) Features {
	f := Features{Frequency: math.NaN()}
	n := float64(len(samples))
	mean := 0.0
	for _, x := range samples {
		mean += x / n
	}
	for _, x := range samples {
		f.RMS += (x - mean) * (x - mean) / n
		f.Peak = max(f.Peak, math.Abs(x-mean))
	}
	f.RMS = math.Sqrt(f.RMS)
	if len(samples) >= leastSamples && f.RMS > 0 {
		f.Frequency = s.dominant(samples, mean, rate)
	}
	return f
}

// dominant is the frequency of the highest peak of the power under a Hann
// window, NaN where noise alone may be as high: the highest of m bins of white
// noise passes 2·log2(m) medians once in m stretches.
func (s *Spectrum) dominant(samples []float64, mean, rate float64) float64 {
	s.transform(samples, mean)
	m := len(s.power)
	from := int(math.Ceil(lowest * float64(2*(m-1)) / float64(len(samples))))
	if from >= m-2 {
		return math.NaN()
	}
	s.sorted = append(s.sorted[:0], s.power[from:]...)
	slices.Sort(s.sorted)
	median := s.sorted[len(s.sorted)/2]
	at := from
	for i := from; i < m-1; i++ {
		if s.power[i] > s.power[at] {
			at = i
		}
	}
	if at == from || s.power[at] <= 2*math.Log2(float64(len(s.sorted)))*median {
		return math.NaN() // at the lower edge it is the flank of something slower
	}
	return (float64(at) + vertex(s.power[at-1], s.power[at], s.power[at+1])) * rate / float64(2*(m-1))
}

// transform fills power. Zeros make the length a power of two, so that no
// sender's count costs more than another.
func (s *Spectrum) transform(samples []float64, mean float64) {
	n := 1
	for n < len(samples) {
		n *= 2
	}
	if s.fft == nil {
		s.fft = fourier.NewFFT(n)
	} else if s.fft.Len() != n {
		s.fft.Reset(n)
	}
	s.moves = slices.Grow(s.moves[:0], n)[:n]
	clear(s.moves)
	for i, x := range samples {
		s.moves[i] = (x - mean) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(samples))))
	}
	s.coeffs = slices.Grow(s.coeffs[:0], n/2+1)[:n/2+1]
	s.power = s.power[:0]
	for _, c := range s.fft.Coefficients(s.coeffs, s.moves) {
		s.power = append(s.power, real(c)*real(c)+imag(c)*imag(c))
	}
}

// vertex is how far from the middle of three neighbours the top of the parabola
// through their logarithms lies, in bins.
func vertex(left, middle, right float64) float64 {
	const least = math.SmallestNonzeroFloat64
	l, m, r := math.Log(max(left, least)), math.Log(middle), math.Log(max(right, least))
	if d := l - 2*m + r; d < 0 {
		return max(-0.5, min(0.5, (l-r)/(2*d)))
	}
	return 0
}
