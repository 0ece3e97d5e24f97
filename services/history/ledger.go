package history

import "tend/services"

// ledger knows the run of each server as far as the events have told. It turns
// events into beginnings and ends of runs.
type ledger map[string]running

// running is a run that has not ended; the zero value where a server has none.
type running struct {
	id      string
	started int64
}

// note sets what the record begins and ends. It has to see every record once,
// in order.
//
// A crashed server may be up again before anybody is told, so the status of
// EventExited can show the next run already: what ends is the run from before.
func (l ledger) note(r *record) {
	was, known := l[r.server]
	switch {
	case r.server == "":
		return
	case r.kind == services.EventExited:
		r.ends, r.endedRun, r.endedRunStarted = true, was.id, was.started
		if was.id == "" && r.run != "" && r.exit != nil && r.started <= millis(r.exit.At) {
			r.endedRun, r.endedRunStarted = r.run, r.started
		}
		l[r.server] = running{}
	case r.run != "" && r.run != was.id:
		r.begins = true
		l[r.server] = running{r.run, r.started}
	case r.idle && (was.id != "" || !known):
		r.ends, r.endedRun, r.endedRunStarted = true, was.id, was.started
		l[r.server] = running{}
	}
	if r.kind == services.EventRemoved {
		delete(l, r.server)
	}
}
