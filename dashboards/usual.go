package dashboards

import (
	"context"
	"fmt"
	"time"

	"lamplighter/devices"
	"lamplighter/rules"
)

// usual is what a baseline knows of a facility.
type usual struct {
	Rule       string   `json:"rule"`
	Name       string   `json:"name" doc:"of the value in the rule"`
	Channel    string   `json:"channel"`
	Unit       string   `json:"unit"`
	On         string   `json:"on,omitempty" doc:"the channel that it is compensated by"`
	Since      *string  `json:"since" doc:"when it began to learn"`
	Steps      int64    `json:"steps" doc:"that were learned from"`
	Left       int64    `json:"left_out" doc:"values that lay too far off to be of it, such as those of another frequency"`
	At         *string  `json:"at" doc:"end of the newest step that was judged; null: too little is known yet"`
	Value      *float64 `json:"value" doc:"the channel's mean in that step"`
	Expected   *float64 `json:"expected" doc:"what is usual"`
	Band       *float64 `json:"band" doc:"one standard deviation of what is usual"`
	Residual   *float64 `json:"residual" doc:"value less expected; smoothed where the rule says so"`
	R2         *float64 `json:"r2" doc:"the share of the variance that the channel it is compensated by explains; null: none"`
	StepS      float64  `json:"step_s" doc:"readings are averaged over steps of so many seconds"`
	LagS       float64  `json:"lag_s" doc:"time constant, in seconds, of the lag of what it is compensated by; 0: none"`
	NeedsS     float64  `json:"needs_s" doc:"so many seconds have to pass before anything is judged"`
	NeedsSteps int64    `json:"needs_steps" doc:"and so many steps"`
	Schedule   string   `json:"schedule,omitempty" doc:"when it is learned and judged; always if not given" example:"night"`
}

const second = 1000.0 // ms

func (s *Server) usual(all []rules.Usual) []usual {
	out := make([]usual, 0, len(all))
	for _, u := range all {
		out = append(out, usual{u.Rule, u.Name, u.Channel, u.Unit, u.On, s.instant(u.Since), u.Steps, u.Left, s.instant(u.At), u.Value, u.Expected, u.Band, u.Residual,
			u.R2, float64(u.Step) / second, float64(u.Lag) / second, float64(u.Least) / second, u.Wants, u.Schedule})
	}
	return out
}

// expectedPoint is what is usual in a step.
type expectedPoint struct {
	T        string  `json:"t" doc:"RFC 3339, the middle of the step"`
	Expected float64 `json:"expected"`
	Band     float64 `json:"band" doc:"one standard deviation"`
}

type expectedBody struct {
	Channel string          `json:"channel"`
	Unit    string          `json:"unit"`
	Points  []expectedPoint `json:"points" doc:"oldest first, at most 2,000; none for steps in which what it is compensated by was not measured, and for times that the rule does not judge"`
}

// maxCompensation is how many values are read of the channel that a baseline is
// compensated by; of more the newest.
const maxCompensation = 100_000

func (s *Server) expected(ctx context.Context, in *struct {
	ID   string    `path:"id" maxLength:"64"`
	Rule string    `query:"rule" required:"true" maxLength:"48" doc:"as the facility's usual has it"`
	Name string    `query:"name" required:"true" maxLength:"64" doc:"of the value in the rule"`
	From time.Time `query:"from" doc:"an hour before to if not given"`
	To   time.Time `query:"to" doc:"now if not given"`
}) (*struct{ Body expectedBody }, error) {
	if _, err := s.opt.Census.Facility(ctx, devices.FacilityID(in.ID)); err != nil {
		return nil, err
	}
	from, to, err := s.span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	facts, _ := s.opt.State.Inspect(devices.FacilityID(in.ID))
	for i := range facts.Usual {
		if u := &facts.Usual[i]; u.Rule == in.Rule && u.Name == in.Name {
			return s.expectedOf(ctx, in.ID, u, from, to)
		}
	}
	return nil, fmt.Errorf("a usual of the value %s of rule %s at facility %s: %w", in.Name, in.Rule, in.ID, devices.ErrNotFound)
}

func (s *Server) expectedOf(ctx context.Context, id string, u *rules.Usual, from, to time.Time) (*struct{ Body expectedBody }, error) {
	q := rules.Expecting{Facility: devices.FacilityID(id), Rule: u.Rule, Name: u.Name, From: from.UnixMilli(), To: to.UnixMilli()}
	if u.On != "" {
		pts, err := s.opt.Querier.Range(ctx, id, u.On, q.From-u.Settling()-u.Step, q.To, maxCompensation)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errStore, err)
		}
		for _, p := range pts {
			q.On = append(q.On, rules.Sample{At: p.T, Value: p.V})
		}
	}
	all, _ := s.opt.State.Expected(&q) // it may have been forgotten meanwhile
	body := expectedBody{u.Channel, u.Unit, make([]expectedPoint, 0, len(all))}
	for _, x := range all {
		body.Points = append(body.Points, expectedPoint{*s.instant(x.At), x.Expected, x.Band})
	}
	return &struct{ Body expectedBody }{body}, nil
}

// span is the time that a query asks for.
func (s *Server) span(from, to time.Time) (time.Time, time.Time, error) {
	if to.IsZero() {
		to = s.opt.Now()
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	if from.After(to) {
		return from, to, invalid("query.from", "from %s lies after to %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	return from, to, nil
}
