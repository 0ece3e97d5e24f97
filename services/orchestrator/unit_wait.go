package orchestrator

import (
	"context"
	"time"

	"tend/services"
)

// news is what a unit waits for.
type news uint8

const (
	nothing news = iota // and there will be no more
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

// await returns what happens next.
func (u *unit) await(ctx context.Context) (news, *message) {
	var exited, gone, changed <-chan struct{}
	if u.proc != nil {
		changed = u.proc.Changed()
		if u.ended {
			gone = u.proc.Gone()
		} else {
			exited = u.proc.Exited()
		}
	}
	select {
	case <-ctx.Done():
		return nothing, nil
	case <-u.fetch.ended():
		return secretsRead, nil
	case <-exited:
		return mainEnded, nil
	case <-gone:
		return treeGone, nil
	case <-changed:
		return runChanged, nil
	case <-u.timer.rings():
		return deadline, nil
	case <-u.clock.rings():
		return timeComes, nil
	case <-u.dog.rings():
		return dogBarks, nil
	case <-u.nudge:
		return neighbours, nil
	case msg := <-u.inbox:
		return told, msg
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

// alarm is a timer that costs nothing before it is set.
type alarm struct {
	timer *time.Timer
	due   time.Time
}

// oversleep is how much later than it is due an alarm is heard by a manager
// that was halted meanwhile, beyond what a busy machine brings about.
const oversleep = 200 * time.Millisecond

// late reports whether the alarm that is heard now was due longer ago.
func (a *alarm) late(by time.Duration) bool { return time.Since(a.due) > by }

func (a *alarm) set(d time.Duration) {
	a.due = time.Now().Add(d)
	if a.timer == nil {
		a.timer = time.NewTimer(d)
		return
	}
	a.timer.Reset(d)
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}

func (a *alarm) rings() <-chan time.Time {
	if a.timer == nil {
		return nil
	}
	return a.timer.C
}
