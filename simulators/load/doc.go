// Package load puts an MQTT broker or a daemon under load and measures it. Its
// client speaks MQTT 3.1.1 by hand, QoS 1 only, and costs little, so that on one
// machine the other side can be measured beside it.
package load
