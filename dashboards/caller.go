package dashboards

import (
	"context"
	"crypto/subtle"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
)

const cookieName = "lamplighter"

// call is what handlers know of a request beside their input.
type call struct {
	who    auth.Who
	remote string // the client's address, as far as it can be believed
	secure bool   // it came over TLS, here or at a trusted proxy
	url    *url.URL
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

func caller(ctx context.Context) auth.Who { return callOf(ctx).who }

// answerWithin bounds every request but the live stream.
const answerWithin = 30 * time.Second

// admit lets a request through that may do what need may; "" is everybody.
func (s *Server) admit(need auth.Role, ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	c := call{remote: s.proxies.client(r), secure: s.proxies.secure(r), url: r.URL}
	if need != "" {
		var p *Problem
		if c.who, p = s.check(r, need, c.remote); p != nil {
			s.refuse(w, p)
			return
		}
	} else if p := s.stranger(r, c.remote); p != nil {
		s.refuse(w, p)
		return
	}
	within, cancel := context.WithTimeout(ctx.Context(), answerWithin)
	defer cancel()
	next(huma.WithContext(ctx, context.WithValue(within, callKey{}, c)))
}

// stranger says why a request of somebody who is not logged in is refused: no
// other site may log its visitors in here.
func (s *Server) stranger(r *http.Request, remote string) *Problem {
	if wait, ok := s.strangers.Allow(remote); !ok {
		return tooMany(wait)
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return problemOf(http.StatusForbidden, "csrf", "this comes from another site: "+err.Error())
	}
	return nil
}

// check says who sends a request, or why it is refused.
func (s *Server) check(r *http.Request, need auth.Role, remote string) (auth.Who, *Problem) {
	if wait, ok := s.strangers.Ready(remote); !ok {
		return auth.Who{}, tooMany(wait)
	}
	w, err := s.who(r)
	if errors.Is(err, devices.ErrForbidden) {
		s.strangers.Allow(remote)
		return w, problemOf(http.StatusUnauthorized, "unauthenticated", "log in, or send a token: "+err.Error())
	}
	if err != nil {
		s.opt.Log.Error().Err(err).Msg("who is it")
		return w, unavailable(err)
	}
	if wait, ok := s.callers.Allow(string(w.Role) + " " + w.Name + w.CSRF); !ok {
		return w, tooMany(wait)
	}
	if w.CSRF != "" && !safe(r.Method) && subtle.ConstantTimeCompare([]byte(r.Header.Get("X-CSRF-Token")), []byte(w.CSRF)) != 1 {
		p := problemOf(http.StatusForbidden, "csrf", "the header X-CSRF-Token is missing or wrong")
		p.Field = "header.X-CSRF-Token"
		return w, p
	}
	if !w.Role.May(need) {
		return w, problemOf(http.StatusForbidden, "forbidden", "this needs the role "+string(need)+"; you are "+string(w.Role))
	}
	return w, nil
}

// safe methods change nothing (RFC 9110, section 9.2.1).
func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

func tooMany(wait time.Duration) *Problem {
	p := problemOf(http.StatusTooManyRequests, "rate", "too many requests")
	p.wait = max(1, int(math.Ceil(wait.Seconds())))
	return p
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

// proxies are the networks whose X-Forwarded-For and X-Forwarded-Proto are
// believed.
type proxies []netip.Prefix

func parseProxies(list []string) (proxies, error) {
	var out proxies
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}

func (ps proxies) trust(a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (ps proxies) direct(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// client is the address that a request came from: the last in X-Forwarded-For
// that is no proxy of ours. What a client wrote there itself stands before that
// and is never read.
func (ps proxies) client(r *http.Request) string {
	a := ps.direct(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && ps.trust(a); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		a = next.Unmap()
	}
	if a.Is6() { // a subscriber has a whole /64
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func (ps proxies) secure(r *http.Request) bool {
	return r.TLS != nil || ps.trust(ps.direct(r)) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
