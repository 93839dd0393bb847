package devicestest

// Sized is full, or raced under the race detector, which makes what only computes
// ten times slower: how many, how long or in what steps. deploy/test.sh runs the
// tests that ask for it a second time without the detector.
func Sized(full, raced int) int {
	if underRace {
		return raced
	}
	return full
}
