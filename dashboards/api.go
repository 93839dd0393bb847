package dashboards

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
)

type whoKey struct{}

// api registers every operation; the role is the least that may call it.
func (s *Server) api(mux *http.ServeMux) {
	conf := huma.DefaultConfig("Lamplighter", "1")
	conf.OpenAPIPath = "/api/openapi"
	conf.DocsPath, conf.SchemasPath = "", ""
	conf.CreateHooks = nil
	a := humago.New(mux, conf)

	route(s, a, "", http.MethodPost, "/api/v1/session", "Log in", s.login)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/session", "Who am I", s.session)
	route(s, a, auth.Viewer, http.MethodDelete, "/api/v1/session", "Log out", s.logout)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/summary", "The city at a glance", s.summary)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities", "Facilities by id", s.facilities)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}", "One facility", s.facility)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}/latest", "Its newest values", s.latest)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}/readings", "Stored readings of a channel", s.readings)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets", "Tickets, the newest first", s.tickets)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets/{id}", "One ticket with its history and pages", s.ticket)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets/{id}/members", "The facilities behind a ticket of a common cause", s.members)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/tickets/{id}/acknowledge", "Take a ticket on", s.acknowledge)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/tickets/{id}/close", "Close a ticket by hand", s.closeTicket)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/quarantine", "Refused payloads, the newest first", s.quarantine)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/ledger", "What came from a facility's device, and what did not", s.ledger)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/ledger/gaps", "The loss ledger: sequence numbers that did not come, the newest first", s.gaps)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/seen", "Devices that were not let in", s.seen)
	route(s, a, auth.Admin, http.MethodPost, "/api/v1/devices/{id}/password", "Give a device a new password", s.password)
}

// route registers one operation behind its role.
func route[I, O any](s *Server, a huma.API, need auth.Role, method, path, summary string, h func(context.Context, *I) (*O, error)) {
	op := huma.Operation{Method: method, Path: path, Summary: summary, OperationID: strings.Trim(strings.NewReplacer("/api/v1/", "", "/", "-", "{", "", "}", "").Replace(method+path), "-")}
	if need != "" {
		op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) { s.admit(a, need, ctx, next) }}
	}
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		return out, problem(err)
	})
}

// problem turns the error kinds of the daemon into HTTP's.
func problem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, devices.ErrNotFound):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, devices.ErrConflict):
		return huma.Error409Conflict(err.Error())
	case errors.Is(err, devices.ErrInvalid):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, devices.ErrForbidden):
		return huma.Error401Unauthorized(err.Error())
	case errors.Is(err, devices.ErrTemporary):
		return huma.Error429TooManyRequests(err.Error())
	}
	return huma.Error500InternalServerError("the daemon could not do it", err)
}

const cookieName = "lamplighter"

// admit lets a request through that may do what need may.
func (s *Server) admit(a huma.API, need auth.Role, ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	w, err := s.who(r)
	switch {
	case err != nil:
		s.refuse(a, ctx, http.StatusUnauthorized, "log in, or send a token: "+err.Error())
	case w.CSRF != "" && r.Method != http.MethodGet && r.Header.Get("X-CSRF-Token") != w.CSRF:
		s.refuse(a, ctx, http.StatusForbidden, "the header X-CSRF-Token is missing or wrong; GET /api/v1/session tells it")
	case !w.Role.May(need):
		s.refuse(a, ctx, http.StatusForbidden, "this needs the role "+string(need)+"; you are "+string(w.Role))
	default:
		next(huma.WithValue(ctx, whoKey{}, w))
	}
}

func (s *Server) refuse(a huma.API, ctx huma.Context, code int, why string) {
	if err := huma.WriteErr(a, ctx, code, why); err != nil {
		s.opt.Log.Debug().Err(err).Msg("refuse a request")
	}
}

// who is the sender of a request, by token or session.
func (s *Server) who(r *http.Request) (auth.Who, error) {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return s.opt.Auth.Check(r.Context(), "token", t)
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return auth.Who{}, devices.ErrForbidden
	}
	return s.opt.Auth.Check(r.Context(), "session", c.Value)
}

func caller(ctx context.Context) auth.Who {
	w, _ := ctx.Value(whoKey{}).(auth.Who)
	return w
}

// instant is a time as the API writes it.
func (s *Server) instant(ms int64) *string {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).In(s.opt.Zone).Format("2006-01-02T15:04:05.000Z07:00")
	return &t
}
