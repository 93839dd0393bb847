// Package broker is our own MQTT listener: it ends the sessions of devices and
// acknowledges a message only after the sink has made it durable. It is no
// message bus: a device publishes under its own name and hears its own down
// topics.
//
// It wraps mochi-mqtt with one hook. OnPublish hands the packet to the sink and
// tells the library to forget it; when the sink calls Acked, the PUBACK (QoS 1)
// or PUBREC (QoS 2) is queued on the connection and written by a flusher, many
// acknowledgements in one write.
package broker
