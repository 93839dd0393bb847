// Package devices is the vocabulary of Lamplighter: the words that every stage
// of the way of a reading shares. It imports the standard library only and
// does nothing by itself.
//
// # Identity
//
// A device is what speaks MQTT; its [DeviceID] is its user name or the common
// name of its certificate. A facility (设施) is what the city owns: a manhole
// cover, a lamp, a circuit, a bridge; its [FacilityID] stands in the census
// (package registry), which also knows which device sits on which facility,
// where it is and which cabinet feeds it. Devices get moved, so no topic ever
// carries kind, place or facility.
//
// # Time
//
// All instants inside the daemon are Unix milliseconds in UTC (int64, 0 = not
// known). A [Reading] carries the time that the device claims, the time at
// which we received it, the time that was resolved from the two, and which way
// it was resolved ([TimeSource]). Only the resolved time is used for judging
// and storing. A civil day is a day in the city's zone, never in UTC.
//
// # Units
//
// A channel carries its unit in its name (tilt_deg, battery_v): there is
// nothing to convert after decoding. See [Channel].
//
// # The way of a reading
//
// A source (the listener, or a client of another broker) makes an [Uplink]; the
// log keeps it in a frame; a codec turns it into a [Message] of [Reading]s or
// into a [Refusal]; a [Batch] is one frame of the log after decoding, in order,
// and is what the store and the rules consume.
package devices
