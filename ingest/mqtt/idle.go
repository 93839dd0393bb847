package mqtt

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// idleConn is a connection to a broker that ends when nothing has come for too
// long, whatever was asked: the answer to a ping stands behind everything that
// an overloaded broker has still to read of us and to send. A broker that is
// asked and sends nothing at all is gone, or as good as gone. The time runs only
// while we are ready to read.
type idleConn struct {
	net.Conn
	limit time.Duration
}

func (i idleConn) Read(b []byte) (int, error) {
	if err := i.SetReadDeadline(time.Now().Add(i.limit)); err != nil {
		return 0, err
	}
	n, err := i.Conn.Read(b)
	if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
		err = fmt.Errorf("nothing came from the broker for %s: %w", i.limit, err)
	}
	return n, err
}
