package orchestrator

import "tend/services"

// observe tells the machine what the neighbours have become.
func (u *unit) observe() {
	ready, held := u.satisfied(), false
	l := u.links.Load()
	for _, n := range l.needed {
		held = held || n.facts.Load()&factLeaving != 0
	}
	u.loss(l.needs)
	if ready != u.m.ready {
		u.feed(Input{Kind: Ready, On: ready})
	} else if u.m.Phase == services.Waiting {
		u.tell(services.EventChanged) // it may wait for another one now
		u.publish()
	}
	if held != u.m.held {
		u.feed(Input{Kind: Held, On: held})
	}
}

// satisfied reports whether every dependency is as it has to be.
func (u *unit) satisfied() bool {
	for _, n := range u.links.Load().needs {
		if !n.met() {
			return false
		}
	}
	return true
}

// rely notes the runs of dependencies that a run begins with.
func (u *unit) rely() {
	u.relied = nil
	for _, n := range u.links.Load().needs {
		if n.WhenLost == services.LostNothing || n.WhenLost == "" {
			continue
		}
		if u.relied == nil {
			u.relied = make(map[*unit]uint64)
		}
		u.relied[n.unit] = n.turn()
	}
}

// loss ends a run when that of a dependency has ended, where the dependency
// says so.
func (u *unit) loss(needs []need) {
	if u.proc == nil || u.ended || u.m.Want == services.Down || u.wanted != "" {
		return
	}
	for _, n := range needs {
		turn, relied := u.relied[n.unit]
		if !relied || turn == n.turn() {
			continue
		}
		u.relied, u.by = nil, "policy"
		u.verdict = n.name + ", which it depends on, has ended"
		if n.WhenLost == services.LostStop {
			u.cause = "stopped because " + u.verdict
			u.feed(Input{Kind: OrderStop})
		} else {
			u.retry = true
			u.feed(Input{Kind: OrderRestart})
		}
		return
	}
}
