package tickets

import (
	"context"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"lamplighter/devices/database"
	"lamplighter/rules"
)

// maxKept bounds what one refused payload takes in quarantine.
const maxKept = 64 << 10

func quarantine(ctx context.Context, tx *database.Tx, o *rules.Outcome) error {
	for i := range o.Refused {
		r := &o.Refused[i]
		u := &r.Uplink
		_, err := tx.Exec(ctx, `INSERT INTO quarantine (at, device, topic, source, received, code, path, msg, payload) VALUES (?,?,?,?,?,?,?,?,?)`,
			o.Wall, string(u.Device), clean(u.Topic), u.Source, u.Received, string(r.Refusal.Code), clean(r.Refusal.Path), clean(r.Refusal.Msg), base64.StdEncoding.EncodeToString(u.Payload[:min(len(u.Payload), maxKept)]))
		if err != nil {
			return fmt.Errorf("quarantine: %w", err)
		}
	}
	return nil
}

// clean makes s fit for a TEXT column of PostgreSQL.
func clean(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r == 0 || r == utf8.RuneError {
			r = '\uFFFD'
		}
		out = append(out, r)
	}
	return string(out)
}
