//go:build !race

package devicestest

const underRace = false
