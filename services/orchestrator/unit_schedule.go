package orchestrator

import (
	"fmt"
	"time"

	"tend/services"
)

// recheck bounds how long the clock of a schedule is trusted: somebody may set
// the machine's.
const recheck = time.Minute

// plan arms the clock for the next time of the schedule.
func (u *unit) plan() {
	next := u.settings.Load().times
	if next == nil || u.m.Want == services.Down || u.wanted != "" {
		u.clock.stop()
		u.setFire(time.Time{})
		return
	}
	now := time.Now()
	if u.fire.IsZero() || !u.fire.After(now) {
		u.setFire(next(now))
	}
	if u.fire.IsZero() { // never again
		u.clock.stop()
		return
	}
	u.clock.set(min(u.fire.Sub(now), recheck))
}

func (u *unit) setFire(at time.Time) {
	if u.fire.Equal(at) {
		return
	}
	u.fire = at
	u.tell(services.EventChanged)
	u.publish()
}

// tick runs what the schedule wants now.
func (u *unit) tick() {
	now := time.Now()
	if at, next := u.fire, u.settings.Load().times; next != nil && !at.IsZero() && !at.After(now) {
		u.fire = next(now)
		u.due(at)
	}
	u.plan()
}

// due starts the task, or obeys the overlap policy where it still runs.
func (u *unit) due(at time.Time) {
	if u.m.step == idle {
		u.by, u.restart = "schedule", 0
		u.feed(Input{Kind: Fired})
		return
	}
	switch u.server().Schedule.Overlap {
	case services.OverlapKill:
		u.by, u.verdict = "schedule", "the schedule starts it again"
		u.feed(Input{Kind: OrderRestart})
	case services.OverlapQueue:
		u.queued = true
	default:
		u.trades.Bus.Publish(services.Event{
			Kind: services.EventChanged, Server: u.name, By: "schedule", Status: u.status.Load(),
			Message: fmt.Sprintf("%s: the run of %s is left out, since the one before has not ended", u.name, at.Local().Format(clock)),
		})
	}
}
