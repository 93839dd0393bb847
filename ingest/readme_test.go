package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestTheReadmeNamesEveryCommand holds its line of commands against the program.
func TestTheReadmeNamesEveryCommand(t *testing.T) {
	k, err := kong.New(&cli{}, kong.Vars{"version": "", "user": ""})
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, n := range k.Model.Leaves(true) {
		want = append(want, n.Path())
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile("(?m)^Commands: .*$").FindString(string(text))
	for _, m := range regexp.MustCompile("`([a-z][^`]*)`").FindAllStringSubmatch(line, -1) {
		words := strings.Fields(m[1])
		if len(words) < 2 || strings.Contains(words[1], "-") || strings.ToUpper(words[1]) == words[1] {
			got = append(got, words[0])
			continue
		}
		for sub := range strings.SplitSeq(words[1], "|") {
			got = append(got, words[0]+" "+sub)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("README names %q, the program has %q", got, want)
	}
}
