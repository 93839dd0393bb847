package tickets

import (
	"context"
	"fmt"

	"lamplighter/devices/database"
)

// Past is every ticket of the rules that was open at some time from an instant
// to another, Unix ms, the oldest first.
func Past(ctx context.Context, db *database.DB, from, to int64) ([]Ticket, error) {
	out, err := database.All(ctx, db, scan, `SELECT `+columns+` WHERE t.opened_at<? AND (t.closed_at=0 OR t.closed_at>=?) AND t.evidence<>'' ORDER BY t.opened_at, t.id`, to, from)
	if err != nil {
		return nil, fmt.Errorf("tickets of the past: %w", err)
	}
	return out, nil
}

// WindowsOf is every maintenance window that lasted at some time from an instant
// to another, Unix ms.
func (l *Windows) WindowsOf(ctx context.Context, from, to int64) ([]ListedWindow, error) {
	return l.query(ctx, `begins<? AND ends>? ORDER BY made_at, id`, to, from)
}
