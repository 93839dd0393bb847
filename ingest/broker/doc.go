// Package broker is our own MQTT listener: it ends the sessions of devices and
// acknowledges a message only after the sink has made it durable. It is no
// message bus: a device publishes under its own name and hears its own down
// topics.
//
// mochi-mqtt keeps the sessions: CONNECT, SUBSCRIBE, PING and what goes down to
// devices. What comes up never reaches it. Between the socket and the library
// lies a [link], which cuts the stream into packets and takes PUBLISH and PUBREL
// out of it:
//
//	socket ─ pipe ─ (TLS) ─ (WebSocket) ─ link ─┬─ PUBLISH, PUBREL ─▶ session ─▶ Sink
//	                                            └─ all the rest ────▶ mochi-mqtt
//
// So every message is answered, also those that the library would drop without
// a word ($SYS…, too large, not UTF-8), and none is copied on its way to the log.
//
//   - [pipe] never blocks a writer: what a slow device does not read waits in a
//     buffer, and a device that reads nothing for ten seconds is cut off.
//   - [session] counts what is in flight, holds the ids of QoS 2 and gathers
//     acknowledgements; the [flusher] writes many of them at once.
//   - [crowd] knows who is connected: session take-over, connections per device
//     and per address.
//   - [hook] is where the library asks us who may connect and hear what.
package broker
