package tickets

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"lamplighter/devices"
	"lamplighter/devices/database"
)

// Kept is an entry of the quarantine. Instants are Unix ms, 0 = not yet.
type Kept struct {
	ID         int64
	At         int64 // when it was refused
	Received   int64
	Device     devices.DeviceID
	Topic      string
	Source     string
	Code       devices.Code
	Path, Msg  string
	Payload    []byte // the first MaxKept bytes
	Size       int64  // bytes as received
	Flags      devices.UplinkFlags
	ResolvedAt int64
	ResolvedBy string
}

// Cut tells whether the payload was too large to be kept whole.
func (k *Kept) Cut() bool { return k.Size > int64(len(k.Payload)) }

// Uplink is what was refused, as it was received.
func (k *Kept) Uplink() devices.Uplink {
	return devices.Uplink{Device: k.Device, Topic: k.Topic, Payload: k.Payload, Received: k.Received, Source: k.Source, Flags: k.Flags &^ devices.FlagUnknown}
}

// KeptFilter narrows the quarantine. Empty fields do not narrow.
type KeptFilter struct {
	Device   devices.DeviceID
	Code     devices.Code
	Open     bool // what was not taken back in
	Resolved bool // what was
	From, To int64
	Order    database.Order
	Limit    int // 1 to 1000
}

const keptColumns = `id, at, received, device, topic, source, code, path, msg, payload, size, flags, resolved_at, resolved_by`

// List is a page of the quarantine.
func (q *Quarantine) List(ctx context.Context, f KeptFilter) ([]Kept, error) {
	cond, args := f.Order.Where()
	where := []string{cond}
	add := func(cond string, v any) { where, args = append(where, cond), append(args, v) }
	if f.Device != "" {
		add("device=?", string(f.Device))
	}
	if f.Code != "" {
		add("code=?", string(f.Code))
	}
	if f.Open {
		where = append(where, "resolved_at=0")
	}
	if f.Resolved {
		where = append(where, "resolved_at>0")
	}
	if f.From > 0 {
		add("at>=?", f.From)
	}
	if f.To > 0 {
		add("at<?", f.To)
	}
	out, err := database.All(ctx, q.opt.DB, scanKept, `SELECT `+keptColumns+` FROM quarantine WHERE `+strings.Join(where, " AND ")+" "+f.Order.By()+` LIMIT ?`, append(args, max(1, min(f.Limit, 1000)))...)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return out, nil
}

func scanKept(row database.Row) (Kept, error) {
	var k Kept
	var payload string
	var flags int64
	err := row.Scan(&k.ID, &k.At, &k.Received, &k.Device, &k.Topic, &k.Source, &k.Code, &k.Path, &k.Msg, &payload, &k.Size, &flags, &k.ResolvedAt, &k.ResolvedBy)
	if err != nil {
		return k, err
	}
	k.Flags = devices.UplinkFlags(flags)
	k.Payload, err = base64.StdEncoding.DecodeString(payload)
	k.Size = max(k.Size, int64(len(k.Payload))) // older entries do not say
	return k, err
}

// Get is one entry; devices.ErrNotFound if there is none.
func (q *Quarantine) Get(ctx context.Context, id int64) (Kept, error) {
	k, err := scanKept(q.opt.DB.QueryRow(ctx, `SELECT `+keptColumns+` FROM quarantine WHERE id=?`, id))
	if err = database.Found(err); err != nil {
		return k, fmt.Errorf("quarantine %d: %w", id, err)
	}
	return k, nil
}

// Resolve marks an entry as taken back in; nothing happens to one that is.
func (q *Quarantine) Resolve(ctx context.Context, id int64, who string) error {
	err := q.opt.DB.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE quarantine SET resolved_at=?, resolved_by=? WHERE id=? AND resolved_at=0`, q.opt.Now().UnixMilli(), who, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("quarantine %d: %w", id, err)
	}
	return nil
}

// Unkept is how many refusals of a device and code the quarantine does not hold.
type Unkept struct {
	Device string `json:"device" doc:"empty where too many devices were refused to count each"`
	Code   string `json:"code"`
	Reason string `json:"reason" enum:"flood,age,bytes" doc:"flood: too many in a minute; age and bytes: deleted over quarantine.max_age and max_bytes"`
	N      int64  `json:"n"`
}

// Unkept is what the quarantine does not hold of what was refused between two
// instants (Unix ms, to the hour), the most first, at most 1000 lines.
func (q *Quarantine) Unkept(ctx context.Context, from, to int64) ([]Unkept, error) {
	out, err := database.All(ctx, q.opt.DB, func(row database.Row) (Unkept, error) {
		var u Unkept
		err := row.Scan(&u.Device, &u.Code, &u.Reason, &u.N)
		return u, err
	}, `SELECT device, code, reason, SUM(n) FROM quarantine_unkept WHERE hour>=? AND hour<=? GROUP BY device, code, reason ORDER BY SUM(n) DESC, device, code, reason LIMIT 1000`, from/3_600_000, to/3_600_000)
	if err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	return out, nil
}
