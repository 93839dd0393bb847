//go:build race

package devicestest

const raced = true
