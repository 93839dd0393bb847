// Package pipeline moves uplinks from the sources into the log ([Intake]), the
// census into the log ([CensusFeed]), and batches from the log to those who
// consume them ([Follower]). It decides which partition a device belongs to,
// and nothing else.
//
// Consumers of one partition do not wait for each other: each has its own place
// in the log. Those that are at the same place share the decoded batch
// ([Share]), so that a message is decoded once.
package pipeline
