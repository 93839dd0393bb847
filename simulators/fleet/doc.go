// Package fleet is a simulated city: manhole covers, lamps on circuits, bridges.
// Things age, break and are mended; their devices measure, sleep, send, and lie
// about the clock as devices in the field do. What really happened stands in
// the truth file (see [Truth]).
//
// A defect is a state of the thing, never of a message: somebody opens a cover
// and closes it later, and what the device reports follows from that.
//
// Nothing in here looks at a clock: [City.Step] is told what time it is, so the
// same code drives a live city and a month told as fast as it goes. The same
// options give the same messages, byte for byte, and the same truth. The whole
// city is one queue of instants; a step costs what happens in it, not what there
// is.
//
// The rates of plan.go are assumptions that make a believable city, no
// statistics.
package fleet
