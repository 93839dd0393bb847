package tickets

import (
	"context"
	"fmt"
	"strings"

	"lamplighter/devices/database"
	"lamplighter/rules"
)

// Past is every ticket of the rules that was open at some time from an instant
// to another, Unix ms, the oldest first, each with the worst severity that it had
// until then.
func Past(ctx context.Context, db *database.DB, from, to int64) ([]Ticket, error) {
	const those = ` WHERE t.opened_at<? AND (t.closed_at=0 OR t.closed_at>=?) AND t.evidence<>''`
	out, err := database.All(ctx, db, scan, `SELECT `+columns+those+` ORDER BY t.opened_at, t.id`, to, from)
	if err != nil {
		return nil, fmt.Errorf("tickets of the past: %w", err)
	}
	worst := make(map[int64]rules.Severity)
	err = database.Each(ctx, db, func(row database.Row) error {
		var id, at int64
		var note string
		if err := row.Scan(&id, &at, &note); err != nil {
			return err
		}
		was, is, _ := strings.Cut(note, " → ")
		if worst[id] == "" {
			worst[id] = rules.Severity(was)
		}
		if s := rules.Severity(is); at < to && s.Worse(worst[id]) {
			worst[id] = s
		}
		return nil
	}, `SELECT e.ticket, e.at, e.note FROM ticket_event e JOIN ticket t ON t.id=e.ticket`+those+` AND e.what='severity' ORDER BY e.id`, to, from)
	if err != nil {
		return nil, fmt.Errorf("severities of the past: %w", err)
	}
	for i := range out {
		if s := worst[out[i].ID]; s != "" {
			out[i].Severity = string(s)
		}
	}
	return out, nil
}

// WindowsOf is every maintenance window that lasted at some time from an instant
// to another, Unix ms.
func (l *Windows) WindowsOf(ctx context.Context, from, to int64) ([]ListedWindow, error) {
	return l.query(ctx, `begins<? AND ends>? ORDER BY made_at, id`, to, from)
}
