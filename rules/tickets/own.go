package tickets

import (
	"context"
	"fmt"
	"math"
	"time"

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
// itself, such as a store that takes nothing; name is the part in words, why stands
// in its history and may be long. It goes past the log and its fence: the log may be what is in
// trouble. The same trouble twice is one ticket.
func (d *Desk) Own(ctx context.Context, part string, name devices.Title, why string, over bool) error {
	return d.own(ctx, part, devices.Title{ZH: fmt.Sprintf("系统异常：%s（%s）", name.ZH, part), EN: fmt.Sprintf("Lamplighter itself is in trouble: %s (%s)", name.EN, part)}, time.Time{}, why, over)
}

// Blind opens or closes the one ticket that says that nothing comes in through a
// link, and since when. While it is open no device behind the link is called
// silent.
func (d *Desk) Blind(ctx context.Context, link string, since time.Time, why string, over bool) error {
	at := since.In(d.opt.Zone).Format("2006-01-02 15:04:05")
	return d.own(ctx, "ingest_blind "+link, devices.Title{
		ZH: fmt.Sprintf("接入中断：自 %s 起收不到经 %s 上报的数据", at, link),
		EN: fmt.Sprintf("Ingest blind: nothing has come through %s since %s", link, at),
	}, since, why, over)
}

// own opens or closes a ticket about ourselves; since is when the trouble began,
// zero for now.
func (d *Desk) own(ctx context.Context, defect string, summary devices.Title, since time.Time, why string, over bool) error {
	now := d.opt.Now().UnixMilli()
	at := now
	if !since.IsZero() {
		at = min(now, since.UnixMilli())
	}
	var did tally
	err := d.opt.DB.Write(ctx, func(tx *database.Tx) error {
		did = tally{}
		if over {
			return d.end(ctx, tx, closing{facility: OwnFacility, defect: defect, wall: now}, &did)
		}
		return d.open(ctx, tx, &opening{
			facility: OwnFacility, kind: OwnKind, defect: defect, severity: rules.Critical, at: at, wall: now,
			summary: summary, value: math.NaN(), limit: math.NaN(), note: clean(why),
		}, &did)
	})
	if err != nil {
		return fmt.Errorf("ticket about %s itself: %w", defect, err)
	}
	d.metrics.count(&did, telemetry)
	d.changed()
	return nil
}
