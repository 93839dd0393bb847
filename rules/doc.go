// Package rules judges readings: a pure function of its state and the ordered
// batches of one partition, so that the same log gives the same tickets. It
// never asks for the time: timers run by the wall clock that each frame carries.
//
// [Parse] reads rule files, [Engine] judges, [Worker] feeds an engine from the
// log and hands what follows to a [Desk], which writes it down in one
// transaction with the cursor.
package rules
