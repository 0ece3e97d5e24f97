// Package logs keeps what the servers write, and gives it back line by line.
//
// # Who writes
//
// A server writes straight into <dir>/<server>.log, opened O_APPEND by Begin
// and inherited as its stdout and stderr. Nobody copies a byte: a slow, stopped
// or dead manager never blocks a server. The manager only removes the head of
// a file, and adds one newline where the run before ended in the middle of a line.
//
// # What is kept
//
// A log over its limit loses its head, down to a quarter of the limit below, in
// steps of at most 16 MB and whole blocks: first the head becomes a hole
// (PUNCH_HOLE, some 3 to 6 ms for 16 MB, in which the writer stands still), and
// when the writer is slow, or the hole large, the file becomes short
// (COLLAPSE_RANGE, some 15 ms, after the disk has written what is left, for
// which nobody waits). To collapse at every step took a writer of short lines an
// eighth of its speed, to do it seldom 2 percent, and to make holes all the time
// 5 to 10 percent. So nothing is freed in a burst of more than 128 MB/s before
// the log has six times its limit, where the disk has that to spare. A file is
// small and plain whenever it is not being flooded. Where the file system cannot
// collapse, the next run begins a new file and the one before is kept as
// <server>.log.1 until the new one has enough; where it cannot make holes
// either, likewise, and an event says so. What works is found by trying.
//
// # Addresses
//
// An Address is a generation and an offset into all that was ever written in
// it. <server>.log.meta knows the address of the file's first byte and where
// the hole ends. Each step is announced there before it is taken. Whether a
// collapse happened, when a manager died in the middle of it, shows in whether
// the hole is still there: unlike a fingerprint, that also tells where all
// lines are the same. Fingerprints of the head and of the last bytes seen
// (<server>.log.times has them, with the moment) show that a file was
// truncated or replaced, and then begins another generation.
//
// # Who looks when
//
// Run's goroutine, the keeper, looks at clocks and removes heads; Begin does
// where it sets a file aside, and one goroutine beside the keeper makes files
// short, which waits for the disk. A log that is being written is looked at by
// fstat, more often the faster it grows. A quiet one has an inotify watch for
// one event only, and costs nothing. A watch that stays would slow the writer by
// half: 3.6 s became 5.6 s for 4.5 million lines. Where there are no watches,
// quiet logs are looked at in turn.
//
// # Who may touch what
//
// The Store's lock guards its table. Each log has a read-write lock that is
// held across file operations, and guards nothing but: readers hold it for one
// window of 64 kB, the keeper for one step, Begin while it opens the file or
// sets one aside.
// Events are reported after it is released. Readers see only what was looked
// at, so that every line they yield has a time.
package logs
