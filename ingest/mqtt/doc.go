// Package mqtt reads uplinks from another broker. A message is acknowledged only
// after the sink has made it durable. paho keeps the session; what is published
// is taken out of the stream before it, and acknowledged past it (deploy/docs/adr/0011).
//
// One [Client] is one session: a broker, a fixed client id, a list of filters.
// A broker that is too much for one session is read by several, each with
// filters of its own (shards); sessions are never shared ($share), because a
// shared subscription gives what waits for an absent member to another one and
// breaks the order of a device.
//
// What can go wrong between a broker and us, and what is done about it:
//
//   - The connection breaks: paho connects again within seconds. The session is
//     kept (CleanSession false, fixed client id), so the broker keeps what comes
//     meanwhile, within its own limits.
//   - The broker forgot us: we subscribe again after every connect, read the
//     codes of the SUBACK, and try again while one says no.
//   - An acknowledgement comes after a reconnect: it belongs to the connection
//     that is gone and is dropped, and the broker sends the message again.
//     Everything behind is idempotent.
//   - The connection stands and not a byte comes, though we ping: it is made again.
//   - The connection stands and no message comes: the canary, a message of our own
//     that must come back, tells. It rebuilds the session.
//   - The broker is overloaded: its answers, and the canary, are late behind what it
//     has for us. While messages come the session is left alone; made anew, it
//     would only get again what waits to be acknowledged.
//   - The broker drops messages: $SYS/broker/publish/messages/dropped is watched
//     where the broker has it.
//   - The log is full: nothing is acknowledged, and the broker stops sending
//     when its in-flight window is full.
//
// Throughput is at most the broker's in-flight window divided by the time to
// durability: raise max_inflight_messages in Mosquitto, or shard.
package mqtt
