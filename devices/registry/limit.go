package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// BadLimit is a limit that means nothing to the kind of its facility, or nothing
// beside its other limits.
type BadLimit struct {
	Name string // in the census: a channel, or a tier of one, such as displacement_mm_2
	Cure string
}

// LimitCheck says what is wrong with the limits of a facility of a kind, by their
// names; nil where all is well.
type LimitCheck func(k devices.Kind, limits map[string]float64) []BadLimit

// setLimit sets the limit of a channel; nothing is no limit.
func setLimit(f *Facility, channel, v string) string {
	if v == "" {
		return ""
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return "want a number in the channel's unit"
	}
	if f.Limits == nil {
		f.Limits = make(map[string]float64)
	}
	f.Limits[channel] = n
	return ""
}

// channelCure says what is wrong with the channel of a limit.
func channelCure(ch string) string {
	if ch == "" || len(ch) > devices.MaxIDLen || strings.Trim(ch, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return "want limit: and a channel, such as limit:tilt_deg"
	}
	return ""
}

// limitColumns are the limits of f by their column, sorted.
func limitColumns(f *Facility) []string {
	if len(f.Limits) == 0 {
		return nil
	}
	out := make([]string, 0, len(f.Limits))
	for ch := range f.Limits {
		out = append(out, limitPrefix+ch)
	}
	slices.Sort(out)
	return out
}

func limitText(f *Facility, column string) string {
	n, ok := f.Limits[strings.TrimPrefix(column, limitPrefix)]
	if !ok {
		return ""
	}
	return strconv.FormatFloat(n, 'g', -1, 64)
}

// goodLimits notes what is wrong with the limits of the line.
func (r *rows) goodLimits() {
	if r.check == nil || r.f.Kind == devices.KindUnknown || len(r.f.Limits) == 0 {
		return
	}
	for _, b := range r.check(r.f.Kind, r.f.Limits) {
		r.bad.add(r.line, limitPrefix+b.Name, limitText(&r.f, limitPrefix+b.Name), b.Cure)
	}
}

// LimitTrouble is a limit that stands in the census and that an import would
// refuse today.
type LimitTrouble struct {
	Kind devices.Kind
	BadLimit
	Facilities int                // that have it
	First      devices.FacilityID // one of them
}

// LimitTroubles goes through the whole census: it was imported before its limits
// were checked, or by other dictionaries.
func (r *Registry) LimitTroubles(ctx context.Context) ([]LimitTrouble, error) {
	if r.check == nil {
		return nil, nil
	}
	type key struct {
		kind devices.Kind
		name string
	}
	found := make(map[key]int) // place in out, from 1
	var out []LimitTrouble
	err := database.Each(ctx, r.db, func(row database.Row) error {
		var id, kind, text string
		if err := row.Scan(&id, &kind, &text); err != nil {
			return err
		}
		k, err := devices.ParseKind(kind)
		if err != nil {
			return fmt.Errorf("facility %s: %w", id, err)
		}
		limits := make(map[string]float64)
		if err := json.Unmarshal([]byte(text), &limits); err != nil {
			return fmt.Errorf("limits of %s: %w", id, err)
		}
		for _, b := range r.check(k, limits) {
			n := found[key{k, b.Name}]
			if n == 0 {
				out = append(out, LimitTrouble{Kind: k, BadLimit: b, First: devices.FacilityID(id)})
				n = len(out)
				found[key{k, b.Name}] = n
			}
			out[n-1].Facilities++
		}
		return nil
	}, `SELECT id, kind, limits FROM facility WHERE limits<>'' AND limits<>'{}' AND kind<>?`, devices.KindUnknown.String())
	if err != nil {
		return nil, fmt.Errorf("limits of the census: %w", err)
	}
	return out, nil
}
