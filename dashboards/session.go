package dashboards

import (
	"context"
	"net/http"

	"lamplighter/dashboards/auth"
)

type loginInput struct {
	Body struct {
		User     string `json:"user" maxLength:"64" example:"admin"`
		Password string `json:"password" maxLength:"256"`
	}
}

type sessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      auth.Who
}

func (s *Server) login(ctx context.Context, in *loginInput) (*sessionOutput, error) {
	c := callOf(ctx)
	secret, w, err := s.opt.Auth.Login(ctx, c.remote, in.Body.User, in.Body.Password)
	if err != nil {
		s.opt.Log.Warn().Err(err).Str("user", in.Body.User).Str("remote", c.remote).Msg("audit: log-in refused")
		return nil, err
	}
	s.audit(ctx, "log-in").Str("as", w.Name).Msg("audit")
	return &sessionOutput{SetCookie: cookie(secret, 0, c.secure), Body: w}, nil
}

func cookie(v string, age int, secure bool) http.Cookie {
	return http.Cookie{Name: cookieName, Value: v, Path: "/", HttpOnly: true, Secure: secure, SameSite: http.SameSiteStrictMode, MaxAge: age}
}

func (s *Server) session(ctx context.Context, _ *struct{}) (*struct{ Body auth.Who }, error) {
	return &struct{ Body auth.Who }{caller(ctx)}, nil
}

// bySession is the secret of a session; "" for a token.
type bySession struct {
	Session string `cookie:"lamplighter"`
}

type goneOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) logout(ctx context.Context, in *bySession) (*goneOutput, error) {
	if err := s.opt.Auth.Logout(ctx, in.Session); err != nil {
		return nil, err
	}
	s.audit(ctx, "log-out").Msg("audit")
	return &goneOutput{cookie("", -1, callOf(ctx).secure)}, nil
}

type passwordInput struct {
	Session string `cookie:"lamplighter"`
	Body    struct {
		Old string `json:"old" maxLength:"256"`
		New string `json:"new" minLength:"10" maxLength:"256"`
	}
}

func (s *Server) changePassword(ctx context.Context, in *passwordInput) (*struct{}, error) {
	w := caller(ctx)
	if w.CSRF == "" {
		p := problemOf(http.StatusConflict, "conflict", "a token has no password")
		p.Cure = "log in as the user"
		return nil, p
	}
	if err := s.opt.Auth.ChangePassword(ctx, in.Session, w.Name, in.Body.Old, in.Body.New); err != nil {
		return nil, wrongPassword(err)
	}
	s.audit(ctx, "password changed").Msg("audit")
	return nil, nil
}
