package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/net/proxy"
)

// dial opens the connection that paho asks for, as paho itself would, and puts
// a [wire] on it.
func (c *Client) dial(uri *url.URL, o paho.ClientOptions) (net.Conn, error) {
	conn, err := open(uri, &o)
	if err != nil {
		return nil, err
	}
	return newWire(conn, c), nil
}

func open(uri *url.URL, o *paho.ClientOptions) (net.Conn, error) {
	switch uri.Scheme {
	case "ws", "wss":
		return paho.NewWebsocket(uri.String(), o.TLSConfig, o.ConnectTimeout, o.HTTPHeaders, o.WebsocketOptions)
	case "mqtt", "tcp":
		return openTCP(uri.Host, o)
	case "ssl", "tls", "mqtts", "mqtt+ssl", "tcps":
		return openTLS(uri.Host, o)
	}
	return nil, fmt.Errorf("connect to %s: the scheme is %q; want tcp, ssl, ws or wss", uri.Redacted(), uri.Scheme)
}

// sendBuffer is what the kernel may keep of what we send. A ping and a canary wait
// behind it, and a slow broker reads it message by message: 16,000 PUBACKs are
// much, and a buffer that the kernel sizes takes a million.
const sendBuffer = 64 << 10

func openTCP(host string, o *paho.ClientOptions) (net.Conn, error) {
	conn, err := proxy.FromEnvironmentUsing(o.Dialer).Dial("tcp", host)
	if t, ok := conn.(*net.TCPConn); ok && err == nil {
		if err = t.SetWriteBuffer(sendBuffer); err != nil {
			conn.Close()
		}
	}
	return conn, err
}

func openTLS(host string, o *paho.ClientOptions) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), o.ConnectTimeout) // paho gives no context
	defer cancel()
	conn, err := openTCP(host, o)
	if err != nil {
		return nil, err
	}
	conf := o.TLSConfig.Clone()
	if conf.ServerName == "" {
		conf.ServerName, _, err = net.SplitHostPort(host)
	}
	t := tls.Client(conn, conf)
	if err == nil {
		err = t.HandshakeContext(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}
