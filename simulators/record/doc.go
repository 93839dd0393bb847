// Package record lets a simulated city live as fast as it goes and writes what
// it sends as a tape, with its census and with what really happened. The command
// simulators record and tests call it; it knows nothing of rules.
package record
