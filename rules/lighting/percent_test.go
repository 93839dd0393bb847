package lighting

import "testing"

func TestAFigureThatMissesItsTargetIsNeverToldToReachIt(t *testing.T) {
	for _, c := range []struct {
		share, target float64
		want          string
	}{
		{95000. / 100001, 0.95, "94.99 of 95"},
		{0.95, 0.95, "95.00 of 95"},
		{0.29, 0.29, "29.00 of 29"},
		{0.9651, 96.51515151515152 / 100, "96.51 of 96.5152"},
		{0.9500002, (0.95*99999 + 0.97*2) / 100001, "95.00 of 95.0001"},
		{2. / 3, 0.985, "66.66 of 98.5"},
		{1, 1, "100.00 of 100"},
	} {
		if got := Percent(c.share, 2) + " of " + Goal(c.target); got != c.want {
			t.Errorf("%g of %g: %s; want %s", c.share, c.target, got, c.want)
		}
	}
}
