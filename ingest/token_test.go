package main

import (
	"bytes"
	"testing"
)

// What is done with a token stands in histories under its name: that of who made
// it, if no other is given.
func TestATokenHasTheNameOfWhoMadeIt(t *testing.T) {
	t.Setenv("SUDO_USER", "chen")
	dir := t.TempDir()
	var out bytes.Buffer
	for _, args := range [][]string{{"token", "--role=viewer", "--data", dir}, {"token", "--role=viewer", "--name=grafana", "--data", dir}} {
		if err := run(t.Context(), args, nil, &out); err != nil {
			t.Fatal(err)
		}
	}
	_, _, keeper, closeDB, err := openCensus(&doorway{ctx: t.Context()}, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB()
	ts, err := keeper.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, x := range ts {
		names[x.Name] = true
	}
	if len(ts) != 2 || !names["chen"] || !names["grafana"] {
		t.Errorf("tokens %+v, want one of chen and one of grafana", ts)
	}
}
