package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// ErrNoExport says that a store answers queries, but does not give its raw points.
var ErrNoExport = errors.New("the store has no /api/v1/export; VictoriaMetrics has, a plain Prometheus has not")

// rowsPerLine bounds how many points come at once.
const rowsPerLine = 10_000

// Export calls fn with the stored points of facilities in [from, to), Unix ms:
// series by series in any order, the points of one ascending in time, a long
// series in several calls. text is that of a text channel's points, whose values
// are 1, and "" of numbers. at and values are fn's until it returns; its error
// ends the export and is returned.
func (p *PromQL) Export(ctx context.Context, ids []string, from, to int64, fn func(id, channel, text string, at []int64, values []float64) error) error {
	if p.fresh != nil {
		p.fresh(ctx)
	}
	seconds := func(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }
	form := url.Values{
		"match[]": {fmt.Sprintf(`{__name__=~"%s_.+",id=~%s}`, measurement, quote(anyOf(ids)))},
		"start":   {seconds(from)}, "end": {seconds(to - 1)}, "max_rows_per_line": {strconv.Itoa(rowsPerLine)},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/api/v1/export", strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("export from the store: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.http.Do(req)
	if err != nil {
		return fmt.Errorf("export from the store: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return fmt.Errorf("export from %s: %s: %w", p.url, resp.Status, ErrNoExport)
	default:
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("export from %s: %s: %s", p.url, resp.Status, bytes.TrimSpace(why))
	}
	x := &exported{fn: fn}
	r := bufio.NewReaderSize(resp.Body, 1<<18)
	for {
		line, err := x.line(r)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("export from the store: %w", err)
		}
		if err := x.take(line); err != nil {
			return err
		}
	}
}

// anyOf is a pattern that matches each of the ids: of their alphabet only the
// dot means something else.
func anyOf(ids []string) string { return strings.ReplaceAll(strings.Join(ids, "|"), ".", `\.`) }

// exported reads the lines of an export. Their memory is used again and again.
type exported struct {
	fn     func(id, channel, text string, at []int64, values []float64) error
	buf    []byte
	at     []int64
	values []float64
}

// line is the next one, however long.
func (x *exported) line(r *bufio.Reader) ([]byte, error) {
	x.buf = x.buf[:0]
	for {
		part, err := r.ReadSlice('\n')
		x.buf = append(x.buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(x.buf), err
		}
	}
}

// take reads a line such as
//
//	{"metric":{"__name__":"lamplighter_tilt_deg","id":"MH-1"},"values":[1,2.5],"timestamps":[1767226199000,1767226200000]}
//
// The arrays are read by hand: they are millions of numbers. Within a label the
// quotes of the separators would be escaped, so they are found only where they are.
func (x *exported) take(line []byte) error {
	labels, rest, ok := bytes.Cut(bytes.TrimPrefix(line, []byte(`{"metric":`)), []byte(`,"values":[`))
	values, rest, ok2 := bytes.Cut(rest, []byte(`],"timestamps":[`))
	at, end, ok3 := bytes.Cut(rest, []byte(`]`))
	var m map[string]string
	if !ok || !ok2 || !ok3 || string(end) != "}" || json.Unmarshal(labels, &m) != nil {
		return fmt.Errorf("export from the store: found %.200q; want a line of metric, values and timestamps", line)
	}
	x.at, x.values = x.at[:0], x.values[:0]
	for more := len(at) > 0; more; {
		var a, v []byte
		a, at, more = bytes.Cut(at, []byte(`,`))
		v, values, _ = bytes.Cut(values, []byte(`,`))
		t, err := strconv.ParseInt(string(a), 10, 64)
		if err != nil {
			return fmt.Errorf("export from the store: instant: %w", err)
		}
		if string(v) == "null" {
			continue
		}
		n, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return fmt.Errorf("export from the store: value: %w", err)
		}
		x.at, x.values = append(x.at, t), append(x.values, n)
	}
	return x.fn(m["id"], strings.TrimPrefix(m["__name__"], measurement+"_"), m["value"], x.at, x.values)
}
