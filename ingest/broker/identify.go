package broker

import (
	"fmt"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"lamplighter/devices"
)

// no is why a device may not connect.
type no struct {
	code, code3 byte   // of MQTT 5 and 3.1.1
	why         string // for the metric and the list of devices that were seen: few different ones
	more        string // for the device: what to do
}

// identify says who connects, or why it may not.
func (h *hook) identify(l *link, c *packets.ConnectParams) (devices.DeviceID, *no) {
	if l.cert != nil {
		id, err := devices.ParseDeviceID(l.cert.Subject.CommonName)
		if err != nil {
			return "", &no{codeNotAuthorized, connackNotAllowed, "the certificate's CN is no device id", err.Error()}
		}
		if !h.opt.Authority.Known(id) {
			return id, &no{codeNotAuthorized, connackNotAllowed, "not in the census", "ask the city to add " + string(id)}
		}
		return id, nil
	}
	name := string(c.Username)
	if name == "" {
		if h.opt.Anonymous {
			return "", nil
		}
		return "", &no{codeNotAuthorized, connackNotAllowed, "no user name", "the user name is the device id"}
	}
	id, err := devices.ParseDeviceID(name)
	if err != nil {
		return "", &no{codeBadPassword, connackBadPassword, "the user name is no device id", err.Error()}
	}
	switch {
	case h.opt.Authority.Verify(id, c.Password):
		return id, nil
	case h.opt.Authority.Adopted(id):
		return id, &no{codeBadPassword, connackBadPassword, "wrong password", "ask the city for a new one"}
	case h.opt.Anonymous:
		return id, nil
	}
	return id, &no{codeNotAuthorized, connackNotAllowed, "not in the census", "ask the city to add " + string(id)}
}

const maxClientID = 128 // bytes

// check is what a CONNECT may be refused for whoever sends it.
func (h *hook) check(pk *packets.Packet) *no {
	c := &pk.Connect
	switch code := pk.ConnectValidate(); {
	case pk.ProtocolVersion < 3 || pk.ProtocolVersion > 5:
		return &no{packets.ErrUnsupportedProtocolVersion.Code, connackBadVersion, "unknown protocol version", "MQTT 3.1, 3.1.1 and 5 are spoken"}
	case code != packets.CodeSuccess:
		return &no{code.Code, connackBadVersion, "bad CONNECT", code.Reason}
	case len(c.ClientIdentifier) > maxClientID:
		return &no{codeBadClientID, connackBadClientID, "client id too long", fmt.Sprintf("it has %d bytes, at most %d are allowed", len(c.ClientIdentifier), maxClientID)}
	case c.ClientIdentifier == "" && !c.Clean && pk.ProtocolVersion < 5: // [MQTT-3.1.3-8]
		return &no{codeBadClientID, connackBadClientID, "no client id", "a lasting session needs one"}
	case int64(h.crowd.count()) >= h.opt.MaxClients:
		return &no{packets.ErrServerBusy.Code, connackUnavailable, "too many connections", "come again later"}
	}
	return nil
}

// refuse answers a CONNECT.
func (h *hook) refuse(cl *mqtt.Client, id devices.DeviceID, n no) error {
	h.refused.WithLabelValues(n.why).Inc()
	h.opt.Authority.Seen(id, Source, n.why)
	h.opt.Log.Debug().Str("device", string(id)).Str("remote", cl.Net.Remote).Str("reason", n.why).Str("more", n.more).Msg("connection refused")
	f := fault{n.code, n.why + "; " + n.more}
	code := packets.Code{Code: n.code, Reason: f.reason}
	if cl.Properties.ProtocolVersion < 5 {
		code.Code = n.code3
	}
	if err := h.srv.SendConnack(cl, code, false, nil); err != nil {
		return err
	}
	return f
}

// stray notes a connection that was ended before its CONNECT was understood.
func (h *hook) stray(l *link, why string) error {
	h.refused.WithLabelValues("no CONNECT").Inc()
	h.opt.Log.Debug().Stringer("remote", l.RemoteAddr()).Str("reason", why).Msg("connection refused")
	return fault{codeMalformed, why}
}
