package lighting

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Ledger writes down how lamps stand. It is safe for concurrent use.
type Ledger struct{}

// absence is how long a partition may go unjudged before nothing is known of its
// lamps: as long as a value is believed.
const absence = 15 * time.Minute

// Begun tells whether the lamps of a partition were ever told.
func (Ledger) Begun(ctx context.Context, tx *database.Tx, partition int) (bool, error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM lamp_ledger WHERE part=?`, partition).Scan(&n); err != nil {
		return false, fmt.Errorf("ledger of lamps: %w", err)
	}
	return n > 0, nil
}

// Write takes down what an outcome says, within its transaction: exactly once,
// as the cursor moves with it.
func (Ledger) Write(ctx context.Context, tx *database.Tx, o *rules.Outcome) error {
	if o.OldWall > 0 && o.Wall-o.OldWall > absence.Milliseconds() {
		if _, err := tx.Exec(ctx, `INSERT INTO lamp_away (part, began, ended) VALUES (?,?,?) ON CONFLICT (part, began) DO NOTHING`, o.Partition, o.OldWall, o.Wall); err != nil {
			return fmt.Errorf("time away: %w", err)
		}
	}
	if o.Begins {
		if _, err := tx.Exec(ctx, `INSERT INTO lamp_ledger (part, since) VALUES (?,?) ON CONFLICT (part) DO NOTHING`, o.Partition, o.Wall); err != nil {
			return fmt.Errorf("ledger of lamps: %w", err)
		}
	}
	for i := 0; i < len(o.Stood); {
		n := together(o.Stood[i:])
		if err := take(ctx, tx, o.Stood[i:i+n]); err != nil {
			return fmt.Errorf("how lamps stand: %w", err)
		}
		i += n
	}
	return nil
}

// together is how many can be written at once: of one instant, each lamp once.
func together(all []rules.Stood) int {
	seen := make(map[devices.FacilityID]bool)
	for i := range all {
		if i == most || all[i].At != all[0].At || seen[all[i].Facility] {
			return i
		}
		seen[all[i].Facility] = true
	}
	return len(all)
}

// most is how many lamps go into one statement.
const most = 500

// take ends the exceptions that last at these lamps and begins those that follow.
func take(ctx context.Context, tx *database.Tx, all []rules.Stood) error {
	args := make([]any, 0, len(all)+1)
	args = append(args, all[0].At)
	var bad, heard []*rules.Stood
	for i := range all {
		x := &all[i]
		args = append(args, string(x.Facility))
		if x.Is != rules.OK {
			bad = append(bad, x)
		}
		if x.Is == rules.OK || x.Is == rules.Faulty {
			heard = append(heard, x)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE lamp_exception SET ended=? WHERE ended=0 AND facility IN (?`+strings.Repeat(",?", len(all)-1)+`)`, args...); err != nil {
		return err
	}
	err := tx.InsertMany(ctx, "lamp_exception", []string{"facility", "standing", "reason", "began"}, each(bad, func(x *rules.Stood) []any {
		return []any{string(x.Facility), x.Is.String(), x.Why, x.At}
	}))
	if err != nil || len(heard) == 0 {
		return err
	}
	args = args[:0]
	for _, x := range heard {
		args = append(args, string(x.Facility), x.At)
	}
	_, err = tx.Exec(ctx, `INSERT INTO lamp_watched (facility, since) VALUES (?,?)`+strings.Repeat(",(?,?)", len(heard)-1)+` ON CONFLICT (facility) DO NOTHING`, args...)
	return err
}

// each is the rows of a list, one by one.
func each[T any](list []T, row func(T) []any) func() ([]any, error) {
	i := 0
	return func() ([]any, error) {
		if i == len(list) {
			return nil, nil
		}
		i++
		return row(list[i-1]), nil
	}
}
