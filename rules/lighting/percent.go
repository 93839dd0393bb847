package lighting

import (
	"math"
	"strconv"
)

// hair is what a share may miss for the rounding of floats alone.
const hair = 1e-12

// Percent is a share in percent, cut after some digits and never rounded up: what
// misses its target is not told to reach it.
func Percent(share float64, digits int) string {
	p := math.Pow10(digits)
	return strconv.FormatFloat(math.Floor((share+hair)*100*p)/p, 'f', digits, 64)
}

// Goal is a target from 0 to 1 in percent, with up to four digits; the mean of
// several classes of road is rounded up, so that no figure below it looks like it.
func Goal(share float64) string {
	return strconv.FormatFloat(math.Ceil((share-hair)*1e6)/1e4, 'f', -1, 64)
}
