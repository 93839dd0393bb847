package dashboards

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lamplighter/dashboards/auth"
)

// api registers every operation; the role is the least that may call it.
func (s *Server) api(mux *http.ServeMux) huma.API {
	conf := huma.DefaultConfig("Lamplighter", "1")
	conf.Info.Description = "Lists are read page by page: limit, sort, order, and the cursor that the page before gave as next (and in the header Link). Instants are RFC 3339 in the city's zone. Errors are application/problem+json."
	conf.OpenAPIPath = "/api/openapi"
	conf.DocsPath, conf.SchemasPath = "", ""
	conf.CreateHooks = nil
	conf.RejectUnknownQueryParameters = true
	conf.Transformers = append(conf.Transformers, translate)
	conf.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "from `token --role` or POST /api/v1/tokens"},
		"session": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "from POST /api/v1/session; what changes something also needs the header X-CSRF-Token"},
	}
	a := humago.New(mux, conf)

	route(s, a, "", http.MethodPost, "/api/v1/session", "Log in", s.login)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/session", "Who am I", s.session)
	route(s, a, auth.Viewer, http.MethodDelete, "/api/v1/session", "Log out", s.logout)
	route(s, a, auth.Viewer, http.MethodPut, "/api/v1/session/password", "Change my password; my other sessions end", s.changePassword)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/summary", "The city at a glance", s.summary)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities", "Facilities by id", s.facilities)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}", "One facility", s.facility)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}/latest", "Its newest values", s.latest)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}/readings", "Stored readings of a channel", s.readings)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}/usual", "What is usual of a channel over a time, by what a rule has learned until now", s.expected)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/latest", "The newest values of many facilities", s.latestOfMany)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets", "Tickets, the newest first", s.tickets)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/tickets", "Open a ticket for what a person has found", s.openTicket)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets/{id}", "One ticket with its history and pages", s.ticket)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets/{id}/members", "The facilities behind a ticket of a common cause", s.members)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/tickets/{id}/explanation", "Why a ticket was opened", s.explanation)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/tickets/{id}/acknowledge", "Take a ticket on", s.acknowledge)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/tickets/{id}/close", "Close a ticket by hand", s.closeTicket)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/windows", "Maintenance windows", s.windows)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/windows", "Begin a maintenance window: nothing is opened there until it ends", s.addWindow)
	route(s, a, auth.Operator, http.MethodDelete, "/api/v1/windows/{id}", "End a maintenance window now", s.endWindow)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/quarantine", "Refused payloads, the newest first", s.quarantine)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/quarantine/unkept", "How much was refused and is not kept", s.unkept)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/quarantine/{id}", "One refused payload", s.kept)
	route(s, a, auth.Viewer, http.MethodPost, "/api/v1/quarantine/{id}/decode", "Decode it again with today's codec and census", s.decodeKept)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/quarantine/{id}/retake", "Take it back in, as history", s.retake)
	route(s, a, auth.Operator, http.MethodPost, "/api/v1/quarantine/retake", "Take back in what can be decoded now", s.retakeMany)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/ledger", "What came from a facility's device, and what did not", s.ledger)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/ledger/gaps", "The loss ledger: sequence numbers that did not come, the newest first", s.gaps)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/seen", "Devices that were not let in", s.seen)
	route(s, a, auth.Admin, http.MethodPost, "/api/v1/devices/{id}/password", "Give a device a new password", s.password)
	route(s, a, auth.Admin, http.MethodGet, "/api/v1/users", "Who may log in", s.users)
	route(s, a, auth.Admin, http.MethodPost, "/api/v1/users", "Add a user", s.addUser)
	route(s, a, auth.Admin, http.MethodPatch, "/api/v1/users/{name}", "Give a user another role or password", s.changeUser)
	route(s, a, auth.Admin, http.MethodDelete, "/api/v1/users/{name}", "Delete a user and end the sessions", s.deleteUser)
	route(s, a, auth.Admin, http.MethodGet, "/api/v1/tokens", "Tokens of programs", s.tokens)
	route(s, a, auth.Admin, http.MethodPost, "/api/v1/tokens", "Make a token; it is shown this once", s.addToken)
	route(s, a, auth.Admin, http.MethodDelete, "/api/v1/tokens/{id}", "Revoke a token", s.revokeToken)
	s.censusRoutes(a)
	s.lightingRoutes(a)
	s.describeLive(a)
	for _, unused := range []string{"ErrorModel", "ErrorDetail"} {
		delete(a.OpenAPI().Components.Schemas.Map(), unused)
	}
	return a
}

// route registers one operation behind its role.
func route[I, O any](s *Server, a huma.API, need auth.Role, method, path, summary string, h func(context.Context, *I) (*O, error), change ...func(*huma.Operation)) {
	op := huma.Operation{Method: method, Path: path, Summary: summary, OperationID: operationID(method, path), Responses: problems(a, need, method, path), Tags: []string{strings.Split(path, "/")[3]}}
	if need != "" {
		op.Description = "Needs the role " + string(need) + "."
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	op.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) { s.admit(need, ctx, next) }}
	for _, c := range change {
		c(&op)
	}
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		return out, s.problem(ctx, err)
	})
}

func operationID(method, path string) string {
	return strings.ToLower(strings.Trim(strings.NewReplacer("/api/v1/", "-", "/", "-", "{", "", "}", "").Replace(method+path), "-"))
}

// problems are the errors that an operation may answer with.
func problems(a huma.API, need auth.Role, method, path string) map[string]*huma.Response {
	codes := []int{http.StatusUnauthorized, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if need != "" && (need != auth.Viewer || !safe(method)) {
		codes = append(codes, http.StatusForbidden)
	}
	if strings.Contains(path, "{") {
		codes = append(codes, http.StatusNotFound)
	}
	if !safe(method) && path != "/api/v1/session" {
		codes = append(codes, http.StatusConflict)
	}
	schema := a.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	out := make(map[string]*huma.Response)
	for _, c := range codes {
		out[strconv.Itoa(c)] = &huma.Response{Description: http.StatusText(c), Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
	}
	return out
}

// noRoute answers what stands in no list: 405 when another method would do.
func (s *Server) noRoute(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allow []string
		for _, m := range methods() {
			try := r.Clone(r.Context())
			try.Method = m
			if _, pattern := mux.Handler(try); pattern != "" && pattern != m+" "+apiRoot {
				allow = append(allow, m)
			}
		}
		if len(allow) == 0 {
			s.refuse(w, problemOf(http.StatusNotFound, "not_found", "there is no "+r.URL.Path+"; /api/openapi.json lists what there is"))
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		s.refuse(w, problemOf(http.StatusMethodNotAllowed, "method", r.Method+" is not for "+r.URL.Path))
	}
}

const apiRoot = "/api/"

// methods are those that the API uses.
func methods() []string {
	return []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// instant is a time as the API writes it.
func (s *Server) instant(ms int64) *string {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).In(s.opt.Zone).Format("2006-01-02T15:04:05.000Z07:00")
	return &t
}
