//go:build race

package lighting

const raced = true
