//go:build race

package devicestest

const underRace = true
