package tickets

import (
	"context"
	"fmt"
	"math"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/rules"
)

// The facility and kind of tickets about Lamplighter's own trouble.
const (
	OwnFacility = "lamplighter"
	OwnKind     = "system"
)

// Own opens (over is false) or closes the ticket about a part of Lamplighter
// itself, such as a store that takes nothing; why stands in its history and
// may be long. It goes past the log and its fence: the log may be what is in
// trouble. The same trouble twice is one ticket.
func (d *Desk) Own(ctx context.Context, part, why string, over bool) error {
	now := d.opt.Now().UnixMilli()
	var did tally
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		did = tally{}
		if over {
			return d.end(ctx, tx, OwnFacility, part, now, 0, &did)
		}
		return d.open(ctx, tx, &opening{
			facility: OwnFacility, kind: OwnKind, defect: part, severity: rules.Critical, at: now, wall: now,
			summary: devices.Title{ZH: "系统异常：" + part, EN: "Lamplighter itself is in trouble: " + part},
			value:   math.NaN(), limit: math.NaN(), note: clean(why),
		}, &did)
	})
	if err != nil {
		return fmt.Errorf("ticket about %s itself: %w", part, err)
	}
	d.metrics.count(&did, telemetry)
	d.changed()
	return nil
}
