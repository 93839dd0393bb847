package dashboards

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
)

// audit begins a line of the log about what somebody did.
func (s *Server) audit(ctx context.Context, what string) *zerolog.Event {
	c := callOf(ctx)
	return s.opt.Log.Info().Str("did", what).Str("user", c.who.Name).Str("remote", c.remote)
}

// wrongPassword keeps the old password that was wrong apart from a session that
// has ended.
func wrongPassword(err error) error {
	if errors.Is(err, devices.ErrForbidden) {
		return invalid("body.old", "the old password is wrong")
	}
	return err
}

type userItem struct {
	auth.User
	Created *string `json:"created_at"`
	Changed *string `json:"password_changed_at"`
}

func (s *Server) users(ctx context.Context, _ *struct{}) (*listed[userItem], error) {
	us, err := s.opt.Auth.Users(ctx)
	if err != nil {
		return nil, err
	}
	var items []userItem
	for _, u := range us {
		items = append(items, userItem{u, s.instant(u.Created), s.instant(u.Changed)})
	}
	total := len(items)
	return answer(ctx, items, nil, &total), nil
}

type addUserInput struct {
	Body struct {
		Name     string    `json:"name" maxLength:"64" example:"chen"`
		Role     auth.Role `json:"role" enum:"viewer,operator,dispatcher,admin"`
		Password string    `json:"password" minLength:"10" maxLength:"256"`
	}
}

func (s *Server) addUser(ctx context.Context, in *addUserInput) (*struct{}, error) {
	if err := s.opt.Auth.AddUser(ctx, in.Body.Name, in.Body.Role, in.Body.Password); err != nil {
		return nil, err
	}
	s.audit(ctx, "user added").Str("whom", in.Body.Name).Str("role", string(in.Body.Role)).Msg("audit")
	return nil, nil
}

type byName struct {
	Name string `path:"name" maxLength:"64"`
}

type changeUserInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		Role     auth.Role `json:"role,omitempty" enum:"viewer,operator,dispatcher,admin"`
		Password string    `json:"password,omitempty" minLength:"10" maxLength:"256" doc:"ends the user's sessions"`
	}
}

func (s *Server) changeUser(ctx context.Context, in *changeUserInput) (*struct{}, error) {
	if in.Body.Role == "" && in.Body.Password == "" {
		return nil, invalid("body", "nothing to change: want role, password or both")
	}
	if err := s.opt.Auth.ChangeUser(ctx, in.Name, in.Body.Role, in.Body.Password); err != nil {
		return nil, err
	}
	s.audit(ctx, "user changed").Str("whom", in.Name).Str("role", string(in.Body.Role)).Bool("password", in.Body.Password != "").Msg("audit")
	return nil, nil
}

func (s *Server) deleteUser(ctx context.Context, in *byName) (*struct{}, error) {
	if err := s.opt.Auth.DeleteUser(ctx, in.Name); err != nil {
		return nil, err
	}
	s.audit(ctx, "user deleted").Str("whom", in.Name).Msg("audit")
	return nil, nil
}

type tokenItem struct {
	auth.Token
	Created *string `json:"created_at"`
	Expires *string `json:"expires_at"`
}

func (s *Server) tokenItem(t auth.Token) tokenItem {
	return tokenItem{t, s.instant(t.Created), s.instant(t.Expires)}
}

func (s *Server) tokens(ctx context.Context, _ *struct{}) (*listed[tokenItem], error) {
	ts, err := s.opt.Auth.Tokens(ctx)
	if err != nil {
		return nil, err
	}
	var items []tokenItem
	for _, t := range ts {
		items = append(items, s.tokenItem(t))
	}
	total := len(items)
	return answer(ctx, items, nil, &total), nil
}

type addTokenInput struct {
	Body struct {
		Name string    `json:"name" minLength:"1" maxLength:"64" doc:"whose it is; stands in histories" example:"grafana"`
		Role auth.Role `json:"role" enum:"viewer,operator,dispatcher,admin"`
		Days int       `json:"days,omitempty" minimum:"1" maximum:"3660" doc:"how long it is good; ten years if not given"`
	}
}

type newToken struct {
	tokenItem
	Secret string `json:"token" doc:"shown this once"`
}

func (s *Server) addToken(ctx context.Context, in *addTokenInput) (*struct{ Body newToken }, error) {
	t, secret, err := s.opt.Auth.NewToken(ctx, in.Body.Name, in.Body.Role, time.Duration(in.Body.Days)*24*time.Hour)
	if err != nil {
		return nil, err
	}
	s.audit(ctx, "token made").Str("token", t.ID).Str("name", t.Name).Str("role", string(t.Role)).Msg("audit")
	return &struct{ Body newToken }{newToken{s.tokenItem(t), secret}}, nil
}

func (s *Server) revokeToken(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"16"`
}) (*struct{}, error) {
	if err := s.opt.Auth.RevokeToken(ctx, in.ID); err != nil {
		return nil, err
	}
	s.audit(ctx, "token revoked").Str("token", in.ID).Msg("audit")
	return nil, nil
}
