package load

import (
	"context"
	"time"
)

// outbox gathers messages so that many go out with one system call. It never
// keeps any while it waits.
type outbox struct {
	line  *line
	ctx   context.Context
	heard <-chan error
	out   []byte // packets that were not sent yet
	body  []byte // room for one payload
}

// wait waits until due; more is false when there is nothing more to send.
func (o *outbox) wait(due time.Time) (more bool, err error) {
	d := time.Until(due)
	if d <= 0 {
		return true, nil
	}
	if err := o.flush(); err != nil {
		return false, err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true, nil
	case err := <-o.heard:
		return false, err
	case <-o.ctx.Done():
		return false, nil
	}
}

// slot waits for a free packet id; 0 when there is nothing more to send.
func (o *outbox) slot() (id uint16, err error) {
	select {
	case id = <-o.line.free:
		return id, nil
	default:
	}
	if err := o.flush(); err != nil {
		return 0, err
	}
	select {
	case id = <-o.line.free:
		return id, nil
	case err := <-o.heard:
		return 0, err
	case <-o.ctx.Done():
		return 0, nil
	}
}

// write puts the next message into the box. Its latency counts from when it was
// due, so that a broker that makes us wait does not look fast.
func (o *outbox) write(id uint16, due time.Time) {
	l := o.line
	d := &l.devices[l.next]
	o.body = l.run.payload.append(o.body[:0], d.id, d.seq, time.Now().UnixMilli())
	l.slots[id-1] = slot{l.next, d.seq, due}
	l.next = (l.next + 1) % len(l.devices)
	d.seq++
	l.sent++
	o.out = appendPublish(o.out, d.topic, id, o.body)
}

func (o *outbox) flush() error {
	if len(o.out) == 0 {
		return nil
	}
	c := o.line.conn
	err := c.SetWriteDeadline(time.Now().Add(ackTimeout))
	if err == nil {
		_, err = c.Write(o.out)
	}
	o.out = o.out[:0]
	if err != nil {
		return reason("publish", err)
	}
	return nil
}
