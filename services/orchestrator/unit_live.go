package orchestrator

import (
	"time"

	"tend/services"
)

// A unit has no goroutine while nothing happens: a thousand of them would take
// five megabytes of stacks. Whoever has news for it leaves them where it looks
// and wakes it.

// wake has the unit look for news. It never blocks, and may be called by anybody
// at any time: before the unit has begun and after it has ended, nothing happens.
func (u *unit) wake() {
	if u.wakes.Add(1) == 1 {
		go u.live()
	}
}

// live does all that is to be done, until there are no news, or the unit ends.
// No two of it run at the same time. Ended, the unit counts as awake for ever.
func (u *unit) live() {
	for {
		seen := u.wakes.Load()
		for {
			if u.orphan() && u.proc == nil {
				u.remove()
				u.end()
				return
			}
			what, msg := u.news()
			if what == end {
				u.end()
				return
			}
			if what == nothing {
				break
			}
			u.react(what, msg)
		}
		if u.wakes.CompareAndSwap(seen, 0) {
			return
		}
	}
}

// end is the last thing that a unit does. Its process is left as it is.
func (u *unit) end() {
	u.fetch.abandon()
	for _, a := range []*alarm{&u.timer, &u.clock, &u.dog} {
		a.stop()
	}
	close(u.done)
	u.lives.Done()
}

// news is what has happened to a unit.
type news uint8

const (
	nothing news = iota
	end          // of the unit: the manager ends
	mainEnded
	treeGone
	runChanged
	deadline
	timeComes
	dogBarks
	neighbours
	told
	secretsRead
)

// news returns what is to be done next.
func (u *unit) news() (news, *message) {
	switch {
	case u.life.Err() != nil:
		return end, nil
	case happened(u.fetch.ended()):
		return secretsRead, nil
	case u.proc != nil && !u.ended && happened(u.proc.Exited()):
		return mainEnded, nil
	case u.proc != nil && u.ended && happened(u.proc.Gone()):
		return treeGone, nil
	case u.proc != nil && happened(u.proc.Changed()):
		return runChanged, nil
	}
	select {
	case msg := <-u.inbox: // before a deadline: it may say that this one is met
		return told, msg
	default:
	}
	switch {
	case u.timer.rings():
		return deadline, nil
	case u.clock.rings():
		return timeComes, nil
	case u.dog.rings():
		return dogBarks, nil
	case u.nudged.Swap(false):
		return neighbours, nil
	}
	return nothing, nil
}

// happened reports whether something can be received, and receives it.
func happened(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (u *unit) react(what news, msg *message) {
	switch what {
	case mainEnded:
		u.feed(u.endOfRun())
	case treeGone:
		u.feed(u.goneInput())
	case runChanged:
		before := u.run.Leader
		u.run = runWith(u.proc, u.run)
		if u.run.Leader != before {
			u.daemon = u.run.Digest
		}
		u.tell(services.EventChanged)
		u.publish()
	case deadline:
		if u.m.step == alive && u.m.Phase == services.Starting {
			if d := u.server().ReadyDeadline(); u.timer.late(oversleep) && d > 0 && !u.overslept {
				u.overslept = true
				u.arm(d) // whether it is ready was not looked at
				return
			}
			u.verdict, u.by = u.late(), "policy"
		}
		u.feed(Input{Kind: Deadline})
	case timeComes:
		u.tick()
	case dogBarks:
		u.bark()
	case neighbours:
		u.observe()
	case secretsRead:
		u.fetched()
	case told:
		u.hear(*msg)
	}
}

// alarm wakes its unit at some time. It costs nothing before it is set.
type alarm struct {
	timer *time.Timer
	on    bool
	due   time.Time
}

// oversleep is how much later than it is due an alarm is heard by a manager
// that was halted meanwhile, beyond what a busy machine brings about.
const oversleep = 200 * time.Millisecond

// late reports whether the alarm that is heard now was due longer ago.
func (a *alarm) late(by time.Duration) bool { return time.Since(a.due) > by }

func (a *alarm) set(d time.Duration, wake func()) {
	a.on, a.due = true, time.Now().Add(d)
	if a.timer == nil {
		a.timer = time.AfterFunc(d, wake)
		return
	}
	a.timer.Reset(d)
}

func (a *alarm) stop() {
	a.on = false
	if a.timer != nil {
		a.timer.Stop()
	}
}

// rings reports, once, that the time has come.
func (a *alarm) rings() bool {
	if !a.on || time.Now().Before(a.due) {
		return false
	}
	a.on = false
	return true
}
