package dashboards

import (
	"context"
	"net/http"

	"lamplighter/dashboards/auth"
)

type loginInput struct {
	Remote string `header:"X-Forwarded-For"`
	Body   struct {
		User     string `json:"user" maxLength:"64"`
		Password string `json:"password" maxLength:"256"`
	}
}

type sessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      auth.Who
}

func (s *Server) login(ctx context.Context, in *loginInput) (*sessionOutput, error) {
	secret, w, err := s.opt.Auth.Login(ctx, "address:"+in.Remote, in.Body.User, in.Body.Password)
	if err != nil {
		return nil, err
	}
	return &sessionOutput{SetCookie: cookie(secret, 0), Body: w}, nil
}

func cookie(v string, age int) http.Cookie {
	return http.Cookie{Name: cookieName, Value: v, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: age}
}

func (s *Server) session(ctx context.Context, _ *struct{}) (*struct{ Body auth.Who }, error) {
	return &struct{ Body auth.Who }{caller(ctx)}, nil
}

func (s *Server) logout(ctx context.Context, in *struct {
	Session string `cookie:"lamplighter"`
}) (*struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}, error) {
	if err := s.opt.Auth.Logout(ctx, in.Session); err != nil {
		return nil, err
	}
	return &struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}{cookie("", -1)}, nil
}
