// Package monitor looks at every server once in an interval and says what it
// saw: whether the port of a live server takes connections, and who listens on
// the port of one that is down. It reports; what follows from it is decided
// elsewhere.
//
// Ownership: one goroutine, Run, does everything and is the only caller of
// Targets, Holder and Report, which must not keep it for long. Hurry leaves a
// note for it and may be called by anybody at any time.
//
// Cost: a server without a port costs no system call, only a place in the one
// batch at the beginning of the interval. A connection to a local port is made
// or refused within the system call that asks for it, so a check takes neither
// a goroutine nor a thread nor an entry in the poller; the few that stay open
// (their server has stopped accepting) are looked at again from time to time
// until their timeout. Checks are spread evenly over the interval. All servers
// that are down share one listing of the sockets that listen.
//
// Ordering: results of one server come in the order of its checks, and there
// is never more than one check of a server open. A result names the run that
// was looked at; by the time it is reported that run may have ended.
//
// A Sampler measures what all servers use, in one pass of its own Run, and
// Thresholds say when one of them uses too much for too long.
package monitor
