package load

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

// IdleOptions say how idle connections are held.
type IdleOptions struct {
	Address     string // host:port
	Connections int    // default 10,000
	User        string // "" = anonymous
	Password    string
	KeepAlive   time.Duration // default 60 s; a ping goes out at half of it
	Hold        time.Duration // default 30 s
	PID         int           // of the daemon, to see its memory; 0 = nobody's
	Tell        func(open int)
}

// IdleReport is what the daemon's memory did.
type IdleReport struct {
	Connections   int
	Before, After int64 // resident set, bytes; 0 without PID
	Broken        int   // connections that did not last
}

// PerConnection is how many bytes each connection took.
func (r IdleReport) PerConnection() int64 { return (r.After - r.Before) / int64(max(1, r.Connections)) }

// perSource is how many connections come from one address of 127.0.0.0/8: fewer
// than there are ports.
const perSource = 20_000

// Idle opens connections and holds them, pinging, and sees what they cost.
func Idle(ctx context.Context, o IdleOptions) (rep IdleReport, err error) {
	if o.Connections == 0 {
		o.Connections = 10_000
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = time.Minute
	}
	if o.Hold == 0 {
		o.Hold = 30 * time.Second
	}
	if rep.Before, err = residentSet(o.PID); err != nil {
		return rep, err
	}
	conns := make([]*idler, 0, o.Connections)
	defer func() {
		for _, c := range conns {
			c.conn.Close()
		}
	}()
	for i := range o.Connections {
		c, err := openIdle(ctx, &o, i)
		if err != nil {
			return rep, fmt.Errorf("connection %d of %d: %w", i+1, o.Connections, err)
		}
		conns = append(conns, c)
		if o.Tell != nil && (i+1)%1000 == 0 {
			o.Tell(i + 1)
		}
	}
	rep.Connections = len(conns)
	rep.Broken, err = hold(ctx, conns, &o)
	if err != nil {
		return rep, err
	}
	rep.After, err = residentSet(o.PID)
	return rep, err
}

// idler is one connection that does nothing.
type idler struct {
	conn   net.Conn
	reader *bufio.Reader
	broken bool
}

func openIdle(ctx context.Context, o *IdleOptions, i int) (*idler, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if host, _, err := net.SplitHostPort(o.Address); err == nil && net.ParseIP(host).IsLoopback() {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+i/perSource))}
	}
	conn, err := d.DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, err
	}
	c := &idler{conn: conn, reader: bufio.NewReaderSize(conn, 16)}
	var buf [4096]byte
	err = conn.SetDeadline(time.Now().Add(ackTimeout))
	if err == nil {
		_, err = conn.Write(appendConnect(nil, login{ClientID: fmt.Sprintf("idle-%d", i), User: o.User, Password: o.Password, KeepAlive: uint16(o.KeepAlive / time.Second)}))
	}
	if err == nil {
		err = readConnAck(c.reader, &buf)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// hold pings every connection now and then until the time is over, and returns
// how many of them broke.
func hold(ctx context.Context, conns []*idler, o *IdleOptions) (broken int, err error) {
	end := time.Now().Add(o.Hold)
	for {
		if err := pause(ctx, min(o.KeepAlive/2, time.Until(end))); err != nil {
			return broken, err
		}
		var wg sync.WaitGroup
		const hands = 8
		for h := range hands {
			wg.Go(func() {
				for i := h; i < len(conns); i += hands {
					conns[i].ping()
				}
			})
		}
		wg.Wait()
		if time.Now().After(end) {
			break
		}
	}
	for _, c := range conns {
		if c.broken {
			broken++
		}
	}
	return broken, nil
}

// ping asks for a sign of life [MQTT-3.12].
func (c *idler) ping() {
	if c.broken {
		return
	}
	var buf [4096]byte
	err := c.conn.SetDeadline(time.Now().Add(ackTimeout))
	if err == nil {
		_, err = c.conn.Write([]byte{pingReq, 0})
	}
	for err == nil {
		var kind byte
		if kind, _, err = readPacket(c.reader, &buf); kind == pingResp {
			return
		}
	}
	c.broken = true
}
