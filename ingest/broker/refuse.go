package broker

import (
	"errors"
	"fmt"
	"strings"

	"lamplighter/devices"
)

const (
	maxDiscard = 64 << 20 // bytes of a packet that is too large and thrown away
	headKept   = 1024     // bytes of it that quarantine keeps
)

// fault ends the connection for err: the device of MQTT 5 hears the reason, the
// log and the metrics have it in any case. It returns what Read shall return.
func (s *session) fault(err error) error {
	var f fault
	if !errors.As(err, &f) {
		return err
	}
	s.hook.faults.WithLabelValues(faultName(f.code)).Inc()
	s.hook.opt.Log.Info().Str("device", string(s.device)).Str("remote", s.cl.Net.Remote).Str("reason", f.reason).Msg("connection ended")
	s.say(f)
	s.link.linger()
	return f
}

func faultName(code byte) string {
	switch code {
	case codeMalformed:
		return "malformed"
	case codeTooLarge:
		return "too large"
	case codeTooMuchFlying:
		return "receive maximum"
	case codeBadAlias:
		return "topic alias"
	}
	return "protocol"
}

// unreadable ends the connection for a PUBLISH that breaks the protocol. One
// whose topic is no text goes to quarantine, so that the vendor finds it there
// too: the codec refuses it for its topic.
func (s *session) unreadable(m *message, err error) error {
	var f fault
	if errors.As(err, &f) {
		s.hook.notice(s.device, &devices.Refusal{Code: devices.CodeCodec, Msg: f.reason})
	}
	if len(m.topic) > 0 && len(m.payload) > 0 {
		s.keep(plain(m.topic), m.payload, 0)
	}
	return s.fault(err)
}

// plain is a topic as it can be shown and kept.
func plain(topic []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(clip(topic)), "\uFFFD"), "\x00", "\uFFFD")
}

// keep hands a message to the sink that will only be refused there.
func (s *session) keep(topic string, payload []byte, flag devices.UplinkFlags) {
	u := devices.Uplink{Device: s.publisher(topic), Topic: topic, Payload: payload[:min(len(payload), headKept)], Received: s.received(), Source: Source, Flags: flag}
	if err := s.hook.opt.Sink.Deliver(s.link.ctx, &u, nil); err != nil && s.link.ctx.Err() == nil {
		s.hook.opt.Log.Error().Err(err).Msg("a refused message was not kept")
	}
}

// tooLarge deals with a PUBLISH over the limit. Its beginning goes to
// quarantine. A device of MQTT 5 was told the limit and is cut off with 0x95
// [MQTT-3.2.2-15]; one of 3.1.1 could not know: it would send the message again
// for ever, so the rest is thrown away and the message acknowledged.
func (s *session) tooLarge(header, total int) error {
	l := s.link
	if err := l.need(min(total, header+headKept)); err != nil {
		return err
	}
	first, head := l.chunk[l.r], append([]byte(nil), l.chunk[l.r+header:l.r+min(total, header+headKept)]...)
	if err := l.discard(header); err != nil {
		return err
	}
	l.touch(s.hear())
	if s.version == 5 || total > maxDiscard {
		if t, _, err := cutText(head); err == nil {
			s.keep(plain(t), head, devices.FlagCut)
		}
		return s.fault(fault{codeTooLarge, fmt.Sprintf("packet too large: %d bytes; at most %d are allowed; send smaller batches", total, s.hook.opt.MaxPacket)})
	}
	m, err := parsePublish(first, head, s.version)
	if err != nil {
		return s.unreadable(&m, err)
	}
	if err := l.discard(total - header); err != nil {
		return err
	}
	return s.take(&m, string(m.topic), devices.FlagCut)
}
