// Package state keeps what a manager has to know in order to act after its
// predecessor crashed: for each server its want, its run and its last exit in
// state.json, the instance (a random id that marks the processes of this data
// directory) and the lock that makes sure there is one manager.
//
// Ownership: whoever holds the Lock owns the directory; call TakeLock first,
// Open next. From then on only the goroutine in Store.Run writes state.json.
// Put, Forget and SetClean leave a note for it and return at once; they may be
// called by anybody at any time, also before Run and after it.
//
// Ordering: a file on disk is always one consistent instant: for each server
// the latest record put before that instant, never an older one after a newer.
// It is replaced by a rename, so a reader, or a crash, sees the old one or the
// new one. A crash of the manager loses at most what was put in the last
// twentieth of a second; what Flush has confirmed is never lost to it.
//
// Syncing: the page cache survives the manager, and no process survives the
// machine. So a file that differs from the one before only in identities,
// exits and counters is not synced. Once a want or the clean mark has changed,
// that file, and each later one until a sync has succeeded, is synced together
// with its directory. It is the writer who waits for the disk, nobody else.
//
// A full disk: a spare file keeps room for the next state, so that a stop which
// is carried out then is written down, too. What does not fit is written as
// soon as there is room again, and an event says so.
package state
