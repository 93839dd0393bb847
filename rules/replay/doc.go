// Package replay judges what has been by the engine that judges what comes: a
// recording (package tape), the frames of a log, or the readings of a store.
// Nothing is written but what the caller does with the tickets that would have
// been opened. The command `rules replay` calls it.
//
// A recording is judged as a daemon would have judged it live: spread over the
// same partitions, a frame for all that was received in the same millisecond, an
// empty frame when a second has passed without one. What partitions tell each
// other takes no time. The frames of a log are judged as they are. Of a store,
// which keeps values but not how they came, each reading counts as come at its
// own time, and silence is not judged.
package replay
