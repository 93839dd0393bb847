package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Explanation is why a ticket was opened.
type Explanation struct {
	Ticket   int64
	Number   string
	Facility devices.FacilityID
	Summary  devices.Title
	Evidence *rules.Evidence // nil of tickets that no rule has opened, or before evidence was kept
}

// Explain looks up why a ticket was opened, by its id or its number;
// devices.ErrNotFound if there is none.
func Explain(ctx context.Context, db *database.DB, ticket string) (Explanation, error) {
	var x Explanation
	var text string
	id, err := strconv.ParseInt(ticket, 10, 64)
	if err != nil {
		id = 0
	}
	err = database.Found(db.QueryRow(ctx, `SELECT id, number, facility, summary_zh, summary_en, evidence FROM ticket WHERE id=? OR number=?`, id, ticket).
		Scan(&x.Ticket, &x.Number, &x.Facility, &x.Summary.ZH, &x.Summary.EN, &text))
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &x.Evidence)
	}
	if err != nil {
		return x, fmt.Errorf("explain ticket %s: %w", ticket, err)
	}
	return x, nil
}

// evidence is what is kept of why t opens.
func evidence(t *rules.Transition) (string, error) {
	if t.Evidence == nil {
		return "", nil
	}
	b, err := json.Marshal(t.Evidence)
	if err != nil {
		return "", fmt.Errorf("evidence: %w", err)
	}
	return string(b), nil
}
