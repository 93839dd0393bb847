// Package store keeps every reading in a time-series store and reads it back.
//
// The default store is VictoriaMetrics, run as a supervised child process of
// the same binary ([Supervise], [RunChild]), so that a full disk or a panic
// there never stops tickets and pages; it is reached exactly like a remote
// store. [Writer] writes line protocol through influxdb-client-go, [PromQL] and
// [Flux] read: the chart of a channel, the newest values, and for replays the raw
// points of many facilities (Export).
//
// # What is written
//
//	lamplighter,id=<facility>[,device=<device>] <channel>=<number>,…,seq=<n> <ms>
//	lamplighter,id=<facility>,value=<text> <channel>=1 <ms>
//
// Numbers are floats; true and false are 1 and 0; a text becomes a state set.
// In VictoriaMetrics the metric is lamplighter_<channel>.
//
// # Promise
//
// VictoriaMetrics says OK before it has fsynced. The cursor that is saved
// therefore trails by a minute, and what lies after it is written again after a
// restart of the daemon or of the child: the same point twice is one point
// (-dedup.minScrapeInterval=1ms).
package store
