package dashboards

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"sort"
	"time"

	"lamplighter/devices"
	"lamplighter/rules/tickets"
)

// Retaker reads refused messages again and takes them back in.
type Retaker interface {
	// Try decodes u as if it came today but for its receive time; m is valid as
	// long as the caller keeps it.
	Try(u *devices.Uplink, m *devices.Message) *devices.Refusal
	// Retake puts u into the log, marked as history, and returns when it is
	// durable or ctx has ended.
	Retake(ctx context.Context, u *devices.Uplink) error
}

// quarantined is an entry of the quarantine.
type quarantined struct {
	ID         int64   `json:"id"`
	At         *string `json:"at"`
	ReceivedAt *string `json:"received_at"`
	Device     string  `json:"device"`
	Topic      string  `json:"topic"`
	Source     string  `json:"source"`
	Code       string  `json:"code"`
	Path       string  `json:"path"`
	Msg        string  `json:"msg"`
	Payload    string  `json:"payload" doc:"base64"`
	Size       int64   `json:"size" doc:"bytes as received; the payload holds at most the first 65536"`
	Retained   bool    `json:"retained"`
	ResolvedAt *string `json:"resolved_at" doc:"when it was taken back in; null = it was not"`
	ResolvedBy string  `json:"resolved_by"`
}

func (s *Server) quarantined(k *tickets.Kept) quarantined {
	return quarantined{ID: k.ID, At: s.instant(k.At), ReceivedAt: s.instant(k.Received), Device: string(k.Device), Topic: k.Topic, Source: k.Source,
		Code: string(k.Code), Path: k.Path, Msg: k.Msg, Payload: base64.StdEncoding.EncodeToString(k.Payload), Size: k.Size,
		Retained: k.Flags.Has(devices.FlagRetained), ResolvedAt: s.instant(k.ResolvedAt), ResolvedBy: k.ResolvedBy}
}

func keptSorts() sorts[tickets.Kept] {
	return sorts[tickets.Kept]{
		{"at", "at", true, func(k *tickets.Kept) any { return k.At }},
		{"id", "id", true, func(k *tickets.Kept) any { return k.ID }},
		{"device", "device", false, func(k *tickets.Kept) any { return string(k.Device) }},
		{"code", "code", false, func(k *tickets.Kept) any { return string(k.Code) }},
	}
}

func keptKey() keyOf[tickets.Kept] {
	return keyOf[tickets.Kept]{"id", func(k *tickets.Kept) any { return k.ID }}
}

func (s *Server) quarantine(ctx context.Context, in *struct {
	Paging
	Device string    `query:"device" maxLength:"64"`
	Code   string    `query:"code" maxLength:"20" example:"E_JSON"`
	State  string    `query:"state" enum:"open,resolved,all" default:"all" doc:"open: what was not taken back in"`
	From   time.Time `query:"from" doc:"refused at or after"`
	To     time.Time `query:"to" doc:"refused before"`
}) (*listed[quarantined], error) {
	t, err := keptSorts().begin(in.Paging, keptKey())
	if err != nil {
		return nil, err
	}
	f := tickets.KeptFilter{Device: devices.DeviceID(in.Device), Code: devices.Code(in.Code), Open: in.State == "open", Resolved: in.State == "resolved", From: unix(in.From), To: unix(in.To), Order: t.order, Limit: t.limit}
	ks, err := s.opt.Quarantine.List(ctx, f)
	if err != nil {
		return nil, err
	}
	items := make([]quarantined, 0, len(ks))
	for i := range ks {
		items = append(items, s.quarantined(&ks[i]))
	}
	return answer(ctx, items, t.next(ks), nil), nil
}

// unix is t in ms, 0 for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (s *Server) unkept(ctx context.Context, in *struct {
	From time.Time `query:"from" doc:"a day ago if not given"`
	To   time.Time `query:"to" doc:"now if not given"`
}) (*listed[tickets.Unkept], error) {
	if in.To.IsZero() {
		in.To = s.opt.Now()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-24 * time.Hour)
	}
	us, err := s.opt.Quarantine.Unkept(ctx, in.From.UnixMilli(), in.To.UnixMilli())
	if err != nil {
		return nil, err
	}
	total := 0
	for _, u := range us {
		total += int(u.N)
	}
	return answer(ctx, us, nil, &total), nil
}

func (s *Server) kept(ctx context.Context, in *byNumber) (*struct{ Body quarantined }, error) {
	k, err := s.opt.Quarantine.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &struct{ Body quarantined }{s.quarantined(&k)}, nil
}

// decoded is what today's codec makes of an entry.
type decoded struct {
	Taken    bool             `json:"taken" doc:"it would be taken now"`
	Code     string           `json:"code,omitempty" doc:"why not"`
	Path     string           `json:"path,omitempty"`
	Msg      string           `json:"msg,omitempty"`
	Type     string           `json:"type,omitempty" enum:"telemetry,event,state,raw,wave,time,reply"`
	Device   string           `json:"device,omitempty"`
	Seq      *uint64          `json:"seq,omitempty"`
	Boot     string           `json:"boot,omitempty"`
	Event    string           `json:"event,omitempty"`
	Notice   string           `json:"notice,omitempty" doc:"taken, but the device should hear of this"`
	Readings []decodedReading `json:"readings,omitempty"`
}

type decodedReading struct {
	T      *string        `json:"t"`
	Source string         `json:"time_source" enum:"device,uptime,relative,received" doc:"how t was resolved"`
	Values []decodedValue `json:"values"`
}

type decodedValue struct {
	Channel string `json:"channel"`
	V       any    `json:"v" doc:"number, true, false, text, or null of a faulty sensor"`
	Unit    string `json:"unit"`
	Quality string `json:"quality" enum:"good,suspect,implausible,fault"`
}

func (s *Server) decodeKept(ctx context.Context, in *byNumber) (*struct{ Body decoded }, error) {
	k, err := s.opt.Quarantine.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	var m devices.Message
	if ref := s.try(&k, &m); ref != nil {
		return &struct{ Body decoded }{decoded{Code: string(ref.Code), Path: ref.Path, Msg: ref.Msg}}, nil
	}
	return &struct{ Body decoded }{s.decoded(&m)}, nil
}

// try decodes an entry, unless it is none that could be.
func (s *Server) try(k *tickets.Kept, m *devices.Message) *devices.Refusal {
	switch {
	case k.Source == tickets.StoreSource:
		return &devices.Refusal{Code: devices.CodeStore, Msg: "this is a line that the time-series store refused, not a message; the message itself was taken"}
	case k.Cut():
		return &devices.Refusal{Code: devices.CodeSize, Msg: fmt.Sprintf("of its %d bytes only the first %d were kept", k.Size, len(k.Payload))}
	}
	u := k.Uplink()
	return s.opt.Retaker.Try(&u, m)
}

func (s *Server) decoded(m *devices.Message) decoded {
	d := decoded{Taken: true, Type: m.Type.String(), Device: string(m.Device), Boot: m.Boot, Event: m.Event.Name}
	if m.HasSeq {
		d.Seq = &m.Seq
	}
	if m.Notice != nil {
		d.Notice = m.Notice.Error()
	}
	for i := range m.Readings {
		r := &m.Readings[i]
		out := decodedReading{T: s.instant(r.Time), Source: r.Source.String(), Values: []decodedValue{}}
		for j := range r.Values {
			v := &r.Values[j]
			out.Values = append(out.Values, decodedValue{v.Channel.Name, plain(v), v.Channel.Unit, v.Quality.String()})
		}
		d.Readings = append(d.Readings, out)
	}
	return d
}

func plain(v *devices.Value) any {
	switch {
	case v.Quality == devices.Fault:
		return nil
	case v.Channel.Type == devices.Bool:
		return v.Num != 0
	case v.Channel.Type == devices.Text:
		return v.Text
	}
	return v.Num
}

func (s *Server) retake(ctx context.Context, in *byNumber) (*struct{ Body quarantined }, error) {
	k, err := s.opt.Quarantine.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if k.ResolvedAt > 0 {
		return nil, fmt.Errorf("quarantine %d: %s has taken it back in: %w", k.ID, k.ResolvedBy, devices.ErrConflict)
	}
	ref, err := s.takeBack(ctx, &k)
	if err != nil {
		return nil, err
	}
	if ref != nil {
		p := problemOf(http.StatusUnprocessableEntity, "refused", "it is still refused: "+ref.Error())
		p.Field, p.Cure = ref.Path, "mend what the reason says (the census, the firmware), then try again"
		return nil, p
	}
	return s.kept(ctx, in)
}

// takeBack puts an entry into the log once more and marks it: in that order, so
// that a crash between repeats it, which changes nothing, and never loses it.
func (s *Server) takeBack(ctx context.Context, k *tickets.Kept) (*devices.Refusal, error) {
	var m devices.Message
	if ref := s.try(k, &m); ref != nil {
		return ref, nil
	}
	u := k.Uplink()
	if err := s.opt.Retaker.Retake(ctx, &u); err != nil {
		return nil, err
	}
	s.audit(ctx, "taken back from quarantine").Int64("id", k.ID).Str("device", string(k.Device)).Msg("audit")
	return nil, s.opt.Quarantine.Resolve(ctx, k.ID, caller(ctx).Name)
}

type retakeInput struct {
	Body struct {
		Device string `json:"device,omitempty" maxLength:"64" doc:"of this device only"`
		Code   string `json:"code,omitempty" maxLength:"20" doc:"refused with this code only"`
		Cursor string `json:"cursor,omitempty" maxLength:"400" doc:"next of the answer before"`
		Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"500" default:"200" doc:"entries looked at in one request"`
	}
}

// retaken is what became of the entries that were looked at.
type retaken struct {
	Taken   int            `json:"taken"`
	Refused int            `json:"refused" doc:"still refused: they stay"`
	Reasons []retakeReason `json:"reasons" doc:"why, the most first"`
	Next    *string        `json:"next" doc:"cursor to go on with, null when none is left"`
}

type retakeReason struct {
	Code string `json:"code"`
	N    int    `json:"n"`
}

func (s *Server) retakeMany(ctx context.Context, in *retakeInput) (*struct{ Body retaken }, error) {
	b := in.Body
	if b.Limit == 0 {
		b.Limit = 200
	}
	t, err := keptSorts().begin(Paging{Cursor: b.Cursor, Limit: b.Limit, Sort: "id", Order: "asc"}, keptKey())
	if err != nil {
		return nil, err
	}
	ks, err := s.opt.Quarantine.List(ctx, tickets.KeptFilter{Device: devices.DeviceID(b.Device), Code: devices.Code(b.Code), Open: true, Order: t.order, Limit: t.limit})
	if err != nil {
		return nil, err
	}
	out, why := retaken{Next: t.next(ks), Reasons: []retakeReason{}}, map[string]int{}
	for i := range ks {
		ref, err := s.takeBack(ctx, &ks[i])
		if err != nil {
			return nil, err
		}
		if ref == nil {
			out.Taken++
			continue
		}
		out.Refused++
		why[string(ref.Code)]++
	}
	for c, n := range why {
		out.Reasons = append(out.Reasons, retakeReason{c, n})
	}
	sort.Slice(out.Reasons, func(i, j int) bool {
		a, b := out.Reasons[i], out.Reasons[j]
		return a.N > b.N || a.N == b.N && a.Code < b.Code
	})
	return &struct{ Body retaken }{out}, nil
}
