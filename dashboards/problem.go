package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
)

// Problem is an error as the API tells it, application/problem+json (RFC 9457).
type Problem struct {
	Type   string  `json:"type" doc:"about:blank: code says what it is" example:"about:blank"`
	Title  string  `json:"title" doc:"the status in words" example:"Unprocessable Entity"`
	Status int     `json:"status" example:"422"`
	Code   string  `json:"code" enum:"invalid,cursor,unauthenticated,forbidden,csrf,not_found,method,not_acceptable,conflict,refused,rate,unavailable,internal" doc:"for programs; never changes its meaning"`
	Detail string  `json:"detail" doc:"what was found and what is wanted, in English"`
	Field  string  `json:"field,omitempty" doc:"the culprit: query.limit, path.id, body.role, header.X-CSRF-Token" example:"query.limit"`
	Cure   string  `json:"cure,omitempty" doc:"what to do about it"`
	Errors []Fault `json:"errors,omitempty" doc:"when there is more than one"`

	wait int // seconds, for Retry-After; 0 = none
}

// Fault is one of several things that are wrong.
type Fault struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Value   any    `json:"value,omitempty"`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders adds Retry-After where waiting helps.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.wait > 0 {
		h.Set("Retry-After", strconv.Itoa(p.wait))
	}
	return h
}

// problemOf makes a problem; what it does not say is filled in by status.
func problemOf(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Cure: cure(code)}
}

// cure is what to do where nobody knows better.
func cure(code string) string {
	switch code {
	case "invalid":
		return "correct the field and send the request again; /api/openapi.json says what it takes"
	case "cursor":
		return "begin again without cursor"
	case "unauthenticated":
		return "log in with POST /api/v1/session, or send Authorization: Bearer with a token of `token --role`"
	case "forbidden":
		return "ask an admin for the role"
	case "csrf":
		return "send the csrf of GET /api/v1/session in the header X-CSRF-Token"
	case "not_found":
		return "look the id up in the list"
	case "method":
		return "use a method of the header Allow"
	case "not_acceptable":
		return "accept application/json"
	case "conflict":
		return "read it again: somebody was faster, or its state does not allow this"
	case "rate":
		return "wait as long as Retry-After says"
	case "unavailable":
		return "try again after Retry-After; GET /-/healthy tells which part is in trouble"
	case "internal":
		return "the daemon's log has the reason; report it with the time of the request"
	}
	return ""
}

// invalid is a request that cannot be: field is where, as in query.from.
func invalid(field, format string, args ...any) *Problem {
	p := problemOf(http.StatusUnprocessableEntity, "invalid", fmt.Sprintf(format, args...))
	p.Field = field
	return p
}

// errStore is wrapped by every error of the time-series store.
var errStore = errors.New("the time-series store does not answer; tickets and pages go on without it")

// retryAfter is how long to wait for a part that is away.
const retryAfter = 5

// problem turns the error kinds of the daemon into HTTP's: the one place that
// does.
func (s *Server) problem(ctx context.Context, err error) error {
	var p *Problem
	var many *auth.TooMany
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	case errors.As(err, &many):
		p = problemOf(http.StatusTooManyRequests, "rate", err.Error())
		p.wait = max(1, int(math.Ceil(many.Wait.Seconds())))
		return p
	case errors.Is(err, devices.ErrNotFound):
		return problemOf(http.StatusNotFound, "not_found", err.Error())
	case errors.Is(err, devices.ErrConflict):
		return problemOf(http.StatusConflict, "conflict", err.Error())
	case errors.Is(err, devices.ErrInvalid):
		return problemOf(http.StatusUnprocessableEntity, "invalid", err.Error())
	case errors.Is(err, devices.ErrForbidden):
		return problemOf(http.StatusUnauthorized, "unauthenticated", err.Error())
	case away(err):
		s.opt.Log.Warn().Err(err).Msg("a request could not be answered")
		return unavailable(err)
	}
	if ctx.Err() == nil {
		s.opt.Log.Error().Err(err).Msg("a request failed")
	}
	return problemOf(http.StatusInternalServerError, "internal", "the daemon could not do it")
}

// away tells whether something that the daemon needs does not answer.
func away(err error) bool {
	var n net.Error
	return errors.Is(err, errStore) || errors.Is(err, devices.ErrTemporary) || errors.Is(err, devices.ErrFull) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n)
}

func unavailable(err error) *Problem {
	what := "the database does not answer"
	switch {
	case errors.Is(err, errStore):
		what = errStore.Error()
	case errors.Is(err, devices.ErrFull):
		what = "the log has no room"
	}
	p := problemOf(http.StatusServiceUnavailable, "unavailable", what)
	p.wait = retryAfter
	return p
}

// translate turns the errors of the library, which come before a handler, into
// problems.
func translate(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := "invalid"
	switch e.Status {
	case http.StatusNotAcceptable:
		code = "not_acceptable"
	case http.StatusInternalServerError:
		code = "internal"
	}
	p := problemOf(e.Status, code, e.Detail)
	for _, d := range e.Errors {
		p.Errors = append(p.Errors, Fault{d.Location, d.Message, d.Value})
	}
	if len(p.Errors) > 0 {
		p.Field, p.Detail = p.Errors[0].Field, p.Errors[0].Field+": "+p.Errors[0].Message
	}
	return p, nil
}

// refuse writes a problem where the library is not at work.
func (s *Server) refuse(w http.ResponseWriter, p *Problem) {
	for k, v := range p.GetHeaders() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	if err := json.NewEncoder(w).Encode(p); err != nil {
		s.opt.Log.Debug().Err(err).Msg("refuse a request")
	}
}
