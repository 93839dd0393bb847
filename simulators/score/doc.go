// Package score holds tickets against what really happened: how many defects
// were found, how many tickets stood for nothing, and how long it took. The
// command simulators score and tests call it.
//
// # When a ticket is right
//
// A ticket stands for a defect of the truth when it is of the same facility and
// of the same name, was opened after the defect began (a second before is meant, too:
// devices tell of their past by their own clocks), and no later than the wait of its
// rule (its `for`, and for silence k expected intervals) after the defect ended. A ticket that stays open from one defect into the next of its
// facility stands for both; the delay of the second is 0.
//
// A ticket with members (a dark cabinet, a flooded street) stands for the same
// defect of its circuits and for that of its members too: they need no ticket of
// their own. It is right by itself only when its own defect stands in
// the truth, or when half of its members have the defect (one of them with no
// ticket but this), or when two of its circuits have no ticket but this.
//
// Of two tickets for one defect the second is a duplicate. It is no false one.
// What the truth does not want a ticket for (ticket: false) is no miss, and a
// ticket for it is right.
//
// A defect is left out, and counted as such, when the recording ended before the
// wait of its rule was over: nobody could have told. That is the wait that the file
// of tickets says of the rule (its `for`, after the past that it looks at), the
// longest that any ticket of that defect had, or the longest that one was found after:
// a device has to tell of it first. Where the truth itself says when it is due, because
// the rule has to watch for weeks, that alone counts, and one that ended before is left
// out too.
package score
