package orchestrator

import (
	"fmt"
	"time"

	"tend/services"
)

// recheck bounds how long the clock of a schedule is trusted: somebody may set
// the machine's.
const recheck = time.Minute

// setBack is by how much somebody has to set the clock back for the time that
// a schedule waits for to be chosen anew. Less than that, as at the end of
// summer, runs nothing a second time.
const setBack = 3 * time.Hour

// plan arms the clock for the next time of the schedule.
func (u *unit) plan() {
	next := u.settings.Load().times
	if next == nil || u.m.Want == services.Down || u.wanted != "" {
		u.clock.stop()
		u.setFire(time.Time{})
		return
	}
	now := time.Now().Round(0) // what the clock on the wall says
	u.setFire(fireAfter(now, u.fire, next))
	if u.fire.IsZero() { // never again
		u.clock.stop()
		return
	}
	u.clock.set(min(u.fire.Sub(now), recheck), u.wake)
}

// fireAfter returns the next time of a schedule that waits for one already, zero
// for none.
func fireAfter(now, waits time.Time, next func(time.Time) time.Time) time.Time {
	at := next(now).Round(0)
	if waits.After(now) && waits.Sub(at) <= setBack {
		return waits
	}
	return at
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
	now := time.Now().Round(0)
	if at, next := u.fire, u.settings.Load().times; next != nil && !at.IsZero() && !at.After(now) {
		u.fire = next(now).Round(0)
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
