package monitor

import "time"

// A server that is being started is tried for the first time after soon, and
// again whenever a quarter of the time since its start has passed: so nobody
// who waits for it waits much longer than it takes, however long it takes.
const (
	soon = 10 * time.Millisecond
	part = 4
)

// start is a server on its way up.
type start struct {
	began   time.Duration
	next    time.Duration // when to try again
	reached bool          // at least once, and that was
	run     string        // this one: the run before, if another one is there now
}

// expect takes notes of servers that are being started. One that was expected
// already has been started anew.
func (w *watch) expect(names map[string]bool) {
	now := time.Since(w.epoch)
	for name := range names {
		w.starts[name] = &start{began: now, next: now + soon}
		if c := w.open[name]; c != nil { // to the run before
			c.conn.close()
			delete(w.open, name)
		}
	}
}

// lookAtStarts tries the ports of those whose time has come.
func (w *watch) lookAtStarts(now time.Duration) {
	due := false
	for _, s := range w.starts {
		due = due || s.next <= now
	}
	if !due {
		return
	}
	w.list()
	for _, t := range w.targets {
		s := w.starts[t.Server]
		if s == nil || s.next > now {
			continue
		}
		s.next = now + s.pause(now)
		switch {
		case t.Port == 0, !t.Alive && now-s.began >= w.Interval, t.Alive && s.reached && s.run == t.Run:
			delete(w.starts, t.Server) // nothing to wait for, in vain, or done
		case t.Alive && w.open[t.Server] == nil && len(w.open) < maxOpen:
			w.try(t, false, now)
		}
	}
	for name, s := range w.starts {
		if s.next <= now {
			delete(w.starts, name) // it left the configuration
		}
	}
}

// pause returns the time until the next attempt, in steps of soon, so that
// many starts are looked at together.
func (s *start) pause(now time.Duration) time.Duration {
	pause := max(soon, (now-s.began)/part)
	return (now + pause).Truncate(soon) + soon - now
}

// started takes the outcome of an attempt and says whether it is news. A
// server that was reached stays here until the next look: Hurry may have been
// called a moment before the new run was there to be seen.
func (w *watch) started(s *start, t Target, now time.Duration, state state) bool {
	age := now - s.began
	if age/part >= w.Interval {
		delete(w.starts, t.Server) // from now on it is one of many
		return true
	}
	if state == reached {
		s.reached, s.run = true, t.Run
		return true
	}
	return age >= w.Interval
}
