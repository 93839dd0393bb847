package tickets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Found is what a person has found wrong with a facility that no sensor sees.
type Found struct {
	Facility devices.FacilityID
	Kind     devices.Kind
	Defect   string
	Severity rules.Severity
	Summary  devices.Title
	At       int64 // Unix ms
	Note, By string
}

// Known is what is said of a defect that inspectors are told to look for, and the
// kind that may have it: KindUnknown of any other defect, of which nothing is said.
func Known(defect string) (of devices.Kind, s rules.Severity, summary devices.Title) {
	switch defect {
	case "anti_fall_net_missing":
		return devices.Manhole, rules.Major, devices.Title{ZH: "防坠网缺失", EN: "Anti-fall net missing"}
	case "anti_fall_net_damaged":
		return devices.Manhole, rules.Minor, devices.Title{ZH: "防坠网破损", EN: "Anti-fall net damaged"}
	}
	return devices.KindUnknown, "", devices.Title{}
}

// Find opens a ticket for what a person has found, and returns its id. It goes
// past the log: no rule has decided it, so none closes it; people do, unless a rule of
// that name comes to tell of it too ([Desk.takeOver]). A
// devices.ErrConflict when there is an open ticket for the facility and defect.
func (d *Desk) Find(ctx context.Context, f Found) (id int64, err error) {
	var did tally
	err = d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		did = tally{}
		id, err := openTicket(ctx, tx, string(f.Facility), f.Defect)
		if err == nil {
			return fmt.Errorf("ticket %d is open for it: %w", id, devices.ErrConflict)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return d.open(ctx, tx, &opening{facility: string(f.Facility), kind: f.Kind.String(), defect: f.Defect, severity: f.Severity, at: f.At, wall: d.opt.Now().UnixMilli(),
			summary: f.Summary, value: math.NaN(), limit: math.NaN(), note: f.Note, by: f.By}, &did)
	})
	if err == nil {
		err = d.opt.DB.QueryRow(ctx, `SELECT id FROM ticket WHERE facility=? AND defect=? ORDER BY id DESC LIMIT 1`, string(f.Facility), f.Defect).Scan(&id)
	}
	if err != nil {
		return 0, fmt.Errorf("%s found at %s: %w", f.Defect, f.Facility, err)
	}
	for i := range did.opened {
		did.opened[i][1] = "finding" // what people call defects is without end
	}
	d.metrics.count(&did, "people")
	d.changed()
	return id, nil
}
