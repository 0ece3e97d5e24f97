// Package history keeps what people look at: events, runs and samples, in
// history.db, an SQLite file. It may lag and it may be deleted: nothing that
// the manager does depends on it.
//
// # Who writes
//
// Only the goroutine of Run writes. Event, Sample and Repeat leave something in memory
// and return at once, whatever the disk does. What waits in memory is bounded:
// of events the oldest are given up first and counted, of samples the oldest.
// A crash of the manager loses the events of the last second and
// the samples of the last minute; an orderly end loses nothing.
//
// # Events and runs
//
// The key of an event is its id, or the next free number where that is not
// larger than the key before it, as after the clock was set back. So keys grow
// in the order of what happened and serve as cursors. Runs follow from events:
// a status with a run that was not there before begins one; EventExited, or a
// status without a process, ends it.
//
// # Samples
//
// They are combined in memory into spans of services.FineStep. A chunk is a
// row that holds some spans of one server, packed. Each minute each server's
// spans become a chunk of the journal: chunks of the same minute lie side by
// side, so that a thousand servers are written as a few pages. Once an hour is
// over, the journal's chunks of a server in that hour become one chunk of each
// roll-up, in one transaction: an hour of fine spans, an hour of medium ones,
// and a part of a day of coarse ones. Nothing of this is kept in memory, so it
// does not matter how often the manager is restarted, and chunks that come late
// are merged.
//
// # Damage
//
// A file that is damaged, of a newer tend or not ours at all is set aside as
// history.db.corrupt-<time>, and a new one is begun. What cannot be written
// stays in memory and is tried again.
package history
