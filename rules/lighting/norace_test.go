//go:build !race

package lighting

const raced = false
