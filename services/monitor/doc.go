// Package monitor looks at every server once in an interval and says what it
// saw: whether the port of a live server takes connections, and who listens on
// the port of one that is down. It reports; what follows from it is decided
// elsewhere.
//
// Ownership: one goroutine, Run, does everything: it alone calls the functions
// in Options, which must not keep it for long, and stores into what a Target
// names. Hurry leaves a note for it and may be called by anybody at any time.
//
// Cost: servers without a port cost nothing while nothing changes: one system
// call says that none of them is halted. A connection to a local port is made
// or refused within the system call that asks for it, so a check takes neither
// a goroutine nor a thread nor an entry in the poller; the few that stay open
// (their server has stopped accepting) are looked at again from time to time
// until their timeout. Of a server that is as well as it was said to be, only
// the time is noted. Checks are spread evenly over the interval.
//
// Ordering: results of one server come in the order of its checks, and there
// is never more than one check of a server open. A result names the run that
// was looked at; by the time it is reported that run may have ended.
//
// All ports share one listing of the sockets that listen, which also tells how
// many connections wait at each: a server that is halted or accepts nothing is
// not well though its port answers, and neither is one whose port another
// process has.
//
// A Prober makes the ready and live checks of runs, each in a goroutine of its
// own, so that no probe overtakes itself.
//
// A Sampler measures what all servers use, in one pass of its own Run, and
// Thresholds say when one of them uses too much for too long.
package monitor
