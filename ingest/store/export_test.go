package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"lamplighter/devices"
)

// exporter gives the raw points of many facilities.
type exporter interface {
	Export(ctx context.Context, ids []string, from, to int64, fn func(id, channel, text string, at []int64, values []float64) error) error
}

// exportedLines is what an export gives, in order; instants count from base.
func exportedLines(t *testing.T, x exporter, ids []string, base, from, to int64) []string {
	t.Helper()
	var out []string
	err := x.Export(t.Context(), ids, base+from, base+to, func(id, channel, text string, at []int64, values []float64) error {
		if !slices.IsSorted(at) {
			t.Errorf("%s of %s is not in order", channel, id)
		}
		for i := range at {
			out = append(out, fmt.Sprintf("%s %s %q %v @%d", id, channel, text, values[i], at[i]-base))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func TestBothStoresGiveTheirRawPoints(t *testing.T) {
	cover := &devices.Channel{Name: "cover_open", Type: devices.Bool, ID: 1}
	mode := &devices.Channel{Name: "mode", Type: devices.Text, ID: 2}
	stores(t, func(t *testing.T, target Target, r reader) {
		w, _ := writerTo(t, target)
		x := r.(exporter)
		base := time.Now().Add(-48 * time.Hour).UnixMilli()
		texts := []string{`auto, or "not"`, `},"values":[1],"timestamps":[1]}`}
		for i := range 2 {
			for _, dev := range []devices.DeviceID{"MH.1", "MHx1", "MH-2"} {
				b := said(uint64(i+1), dev, base+int64(i)*1000, devices.Value{Channel: tilt, Num: float64(i) - 0.125}, devices.Value{Channel: cover, Num: float64(i)}, devices.Value{Channel: mode, Text: texts[i]})
				if err := w.Consume(t.Context(), b); err != nil {
					t.Fatal(err)
				}
			}
		}
		var all []string
		for deadline := time.Now().Add(30 * time.Second); len(all) < 16 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			all = exportedLines(t, x, []string{"MH.1", "MH-2", "MH-9"}, base, 0, 1001)
		}
		want := []string{
			`MH.1 cover_open "" 0 @0`, `MH.1 cover_open "" 1 @1000`,
			fmt.Sprintf(`MH.1 mode %q 1 @0`, texts[0]), fmt.Sprintf(`MH.1 mode %q 1 @1000`, texts[1]),
			`MH.1 seq "" 1 @0`, `MH.1 seq "" 2 @1000`, `MH.1 tilt_deg "" -0.125 @0`, `MH.1 tilt_deg "" 0.875 @1000`,
		}
		for _, l := range want[:8:8] {
			want = append(want, strings.Replace(l, "MH.1", "MH-2", 1))
		}
		slices.Sort(want)
		if !slices.Equal(all, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
		}
		if got := exportedLines(t, x, []string{"MHx1"}, base, 0, 1000); len(got) != 4 || !strings.HasSuffix(got[0], "@0") {
			t.Errorf("before the second message: %q", got)
		}
		enough := errors.New("enough")
		calls := 0
		if err := x.Export(t.Context(), []string{"MH.1"}, base, base+2000, func(string, string, string, []int64, []float64) error { calls++; return enough }); !errors.Is(err, enough) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
	})
}

func TestALongSeriesComesInParts(t *testing.T) {
	c := supervise(t, t.TempDir())
	w, _ := newTestWriter(t, c)
	base := time.Now().Add(-24 * time.Hour).UnixMilli()
	const n = 2*rowsPerLine + 5
	m := &devices.Message{Type: devices.Telemetry, Device: "MH-1"}
	for i := range n {
		m.Readings = append(m.Readings, devices.Reading{Time: base + int64(i)*10, Values: []devices.Value{{Channel: tilt, Num: float64(i)}}})
	}
	if err := w.Consume(t.Context(), &devices.Batch{Seq: 1, Wall: base, Items: []devices.Item{{Type: devices.ItemUplink, Message: m}}}); err != nil {
		t.Fatal(err)
	}
	q, err := Beside(c.opt.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	var parts int
	for deadline := time.Now().Add(30 * time.Second); len(got) < n && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got, parts = nil, 0
		err := q.Export(t.Context(), []string{"MH-1"}, base, base+n*10, func(_, _, _ string, at []int64, values []float64) error {
			if len(at) > rowsPerLine || len(at) != len(values) {
				t.Errorf("%d instants and %d values at once", len(at), len(values))
			}
			got, parts = append(got, values...), parts+1
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(got)
	if len(got) != n || parts < 3 || got[0] != 0 || got[n-1] != n-1 {
		t.Errorf("%d of %d values in %d parts", len(got), n, parts)
	}
}

func TestAStoreWithoutExportIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"a plain Prometheus": {http.StatusNotFound, "404 page not found", "VictoriaMetrics has, a plain Prometheus has not"},
		"too much at once":   {http.StatusUnprocessableEntity, "too many series", "too many series"},
		"a page instead":     {http.StatusOK, "<html>log in</html>\n", `found "<html>log in</html>"`},
		"no instant":         {http.StatusOK, `{"metric":{"id":"A"},"values":[1],"timestamps":["x"]}`, "instant"},
		"no value":           {http.StatusOK, `{"metric":{"id":"A"},"values":["x"],"timestamps":[1]}`, "value"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		q, err := NewPromQL(srv.URL+"/", "")
		if err != nil {
			t.Fatal(err)
		}
		err = q.Export(t.Context(), []string{"A"}, 0, 1000, func(string, string, string, []int64, []float64) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrNoExport) != (c.status == http.StatusNotFound) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		srv.Close()
	}
}
