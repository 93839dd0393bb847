package pager

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Channel is one place that pages go to.
type Channel struct {
	Name        string
	URL         string
	Secret      []byte
	MinSeverity string   // info (default), minor, major, critical
	Kinds       []string // of facility; none = all
}

var rank = map[string]int{"": 0, "info": 0, "minor": 1, "major": 2, "critical": 3}

func (c *Channel) wants(b *Body) bool {
	return rank[b.Severity] >= rank[c.MinSeverity] && (len(c.Kinds) == 0 || slices.Contains(c.Kinds, b.Kind))
}

// failure is why a page was not delivered, and whether to try again.
type failure struct {
	err   error
	again bool
	wait  time.Duration // that the receiver asks for, 0 = none
}

// send makes one attempt; nil when the receiver has taken the page.
func (p *Pager) send(ctx context.Context, c *Channel, r *row) *failure {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader([]byte(r.body)))
	if err != nil {
		return &failure{err: fmt.Errorf("page to %s: %w", c.Name, err)}
	}
	ts := p.opt.Now().Unix()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", fmt.Sprintf("lamplighter-%d", r.id))
	req.Header.Set("Lamplighter-Signature", fmt.Sprintf("t=%d,v1=%s", ts, Sign(c.Secret, ts, []byte(r.body))))
	resp, err := p.opt.Client.Do(req)
	if err != nil {
		return &failure{err: fmt.Errorf("page to %s: %w", c.Name, err), again: true}
	}
	defer resp.Body.Close()
	// what the receiver says does not matter, only that the connection can be used again
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil && ctx.Err() != nil {
		return &failure{err: fmt.Errorf("page to %s: %w", c.Name, err), again: true}
	}
	if resp.StatusCode/100 == 2 {
		return nil
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // a date there is as good as nothing
	return &failure{
		err:   fmt.Errorf("page to %s: it answered %s", c.Name, resp.Status),
		again: resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500,
		wait:  time.Duration(max(0, min(seconds, 3600))) * time.Second,
	}
}

// Sign is the signature of a body at a time, Unix seconds.
func Sign(secret []byte, ts int64, body []byte) string {
	m := hmac.New(sha256.New, secret)
	fmt.Fprintf(m, "%d.", ts)
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}
