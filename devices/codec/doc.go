// Package codec turns the bytes that a device published into readings, or into
// a refusal that says where and why. It is pure: no clock, no I/O, no memory of
// earlier messages but the names of channels.
//
// One pass over the bytes, no tree: a [Decoder] walks the JSON with a scanner
// of its own and writes values into an arena that is reused batch after batch.
//
// # Shapes of f/1/{d}/telemetry
//
//	{"seq":1,"boot":"7f3a","up":1,"clk":"sync","ts":1767225600123,"v":{"tilt_deg":1.2}}   full
//	{"seq":2,"clk":"none","up":9,"r":[{"up":8,"v":{…}},{"t":-60,"v":{…}}]}                batch
//	{"ts":1767225600123,"seq":3,"tilt_deg":1.2}                                           flat
//	{"ts":1767225600123,"values":{"tilt_deg":1.2}}                                        ThingsBoard
//	[{…},{…}]                                                                             array of flat or ThingsBoard
//	[{"bn":"…","n":"tilt_deg","u":"deg","v":1.2,"t":-5}]                                  SenML (RFC 8428)
//
// The same shapes arrive on v1/devices/me/telemetry of firmware made for
// ThingsBoard.
//
// f/1/{d}/event is {"event":"cover_open"} with any of the members above;
// f/1/{d}/state is {"st":"online|sleep|offline","boot":…,"model":…,"fw":…,"expect_s":…,"next_s":…}; f/1/{d}/wave is a part of a waveform block,
// see wave.go.
//
// # Time
//
// See [Options] for the bounds and resolve.go for the order of preference. A
// claimed time that cannot be true is not used: the reading gets its receive
// time and the message a Notice, unless several readings would fall on one
// instant; then the message is refused (E_TIME) and waits in quarantine.
package codec
