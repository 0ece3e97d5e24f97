package orchestrator

import (
	"context"
	"time"

	"tend/services"
	"tend/services/monitor"
)

// checked is what one source says of the present run.
type checked struct {
	passed bool
	why    string // it did not
}

// beginChecks begins the checks of the present run.
func (u *unit) beginChecks() {
	u.checks, u.unready = make(map[monitor.Source]checked), ""
	u.seePort(nil) // also where it is known: it is to be told again
	u.rounds.changes.Add(1)
	s := u.server()
	after := u.run.Output
	if u.adopted && u.m.passed {
		after = "" // a line from before says nothing of its life now
	}
	u.trades.Checker.Begin(monitor.Watched{
		Server: *s, Run: u.run.ID, StartedAt: u.run.StartedAt, After: after, Ready: u.m.passed,
	})
	if s.Port != 0 {
		u.trades.Checker.Hurry(u.name)
	}
	if u.m.passed {
		u.feedDog()
	}
	u.assess()
}

// assess makes one health of what the sources say: unknown until each that is
// expected has spoken, and bad as soon as one is.
func (u *unit) assess() {
	s := u.server()
	u.ailing = ""
	well := true
	for _, from := range []monitor.Source{monitor.FromPort, monitor.FromLive, monitor.FromSilence, monitor.FromWatchdog} {
		if c, known := u.checks[from]; known && !c.passed {
			well = false
			if u.ailing == "" {
				u.ailing = c.why
			}
		}
	}
	_, port := u.checks[monitor.FromPort]
	_, live := u.checks[monitor.FromLive]
	switch {
	case well && (s.Port != 0 && !port || s.Live != nil && !live):
		u.healthy = nil
	default:
		u.healthy = &well
	}
	if s.Port == 0 && s.Live == nil {
		u.checked.Store(time.Now().UnixMilli())
	}
}

// Verdict takes what a check has found out. One that says what is known
// already costs no message.
func (o *Orchestrator) Verdict(v monitor.Verdict) {
	u := o.roster.Load().byName[v.Server]
	if u == nil {
		return
	}
	if v.From != monitor.FromReady {
		u.checked.Store(v.At.UnixMilli())
	}
	if v.News {
		u.send(context.Background(), message{verdict: &v}) //nolint:errcheck // it ends with the unit, which may not have begun
	}
}

// weigh takes a verdict about the present run.
func (u *unit) weigh(v monitor.Verdict) {
	if u.proc == nil || u.ended || v.Run != u.run.ID {
		return
	}
	u.unasked()
	if v.From == monitor.FromReady {
		if v.Passed {
			u.unready = ""
			u.feed(Input{Kind: Passed})
			return
		}
		u.unready = v.Why
		u.tell(services.EventChanged)
		u.publish()
		return
	}
	u.checks[v.From] = checked{v.Passed, v.Why}
	u.assess()
	action, what := u.consequence(v.From)
	kind := services.EventHealth
	if action == services.ProbeNone {
		kind = services.EventChanged
	}
	u.tell(kind)
	u.publish()
	if !v.Passed && action == services.ProbeRestart {
		u.doom(what + v.Why)
	}
}

// consequence returns what follows when a check fails, and how its reason
// begins then.
func (u *unit) consequence(from monitor.Source) (action services.ProbeAction, what string) {
	s := u.server()
	switch {
	case from == monitor.FromSilence:
		return s.Silence.Action, ""
	case from == monitor.FromWatchdog:
		return s.Watchdog.Action, ""
	case s.Live != nil:
		return s.Live.Action, "it failed its live check: "
	}
	return services.ProbeNone, ""
}

// unasked notes that what happens to a run that goes on has nobody's order
// behind it.
func (u *unit) unasked() {
	if u.m.step == alive && u.m.Want == services.Up && !u.m.again && !u.m.doomed {
		u.by = ""
	}
}

// doom ends the present run as a failure.
func (u *unit) doom(why string) {
	if u.m.Want == services.Up && u.wanted == "" && u.m.step == alive {
		u.verdict, u.by = why, "policy"
		u.feed(Input{Kind: Doomed})
	}
}

// late says that the run took too long to become ready.
func (u *unit) late() string {
	text := "it was not ready within " + u.server().ReadyDeadline().String()
	if u.unready != "" {
		text += " (" + u.unready + ")"
	}
	return text
}

// Notice is what a run says of itself by sd_notify.
type Notice struct {
	Server, Run                          string
	Ready, Stopping, Reloading, Watchdog bool
	Status                               *string
}

// What a run says of itself that has no words of its own.
const (
	saysStopping  = "stopping"
	saysReloading = "reloading"
)

// Notice takes what a run says of itself. It waits until the unit has heard it:
// who says that it is ready and ends is ready first.
func (o *Orchestrator) Notice(n Notice) {
	if u := o.roster.Load().byName[n.Server]; u != nil {
		u.sendAndWait(context.Background(), message{notice: &n}) //nolint:errcheck // it ends with the unit, which may not have begun
	}
}

// hearNotice takes a notice of the present run.
func (u *unit) hearNotice(n Notice) {
	if u.proc == nil || n.Run != u.run.ID {
		return
	}
	u.unasked()
	switch {
	case n.Status != nil:
		u.notified = *n.Status
	case n.Stopping:
		u.notified = saysStopping
	case n.Reloading:
		u.notified = saysReloading
	case n.Ready && u.notified == saysReloading:
		u.notified = ""
	}
	if n.Watchdog {
		u.feedDog()
		if c, known := u.checks[monitor.FromWatchdog]; known && !c.passed {
			u.checks[monitor.FromWatchdog] = checked{passed: true}
			u.assess()
		}
	}
	if ready := u.server().Ready; n.Ready && ready != nil && ready.Notify && !u.m.passed && !u.ended {
		u.feed(Input{Kind: Passed})
		u.beginChecks() // of its life
	}
	u.tell(services.EventChanged)
	u.publish()
}

// feedDog gives the run another time of its watchdog.
func (u *unit) feedDog() {
	if d := u.server().Watchdog.Every; d > 0 {
		u.patience = 0
		u.dog.set(d, u.wake)
	}
}

// A manager that was halted (SIGSTOP, a machine that swaps) finds the time of a
// watchdog over before it has read what the server has said meanwhile. So what
// may be waiting is read first, for as long as dogGrace, and again where that
// time was not one in which the manager ran.
const (
	dogGrace     = 100 * time.Millisecond
	dogLate      = 5 * time.Millisecond
	mostPatience = 20 // on a machine that is always late
)

// bark finds a run unwell that has given no sign of life.
func (u *unit) bark() {
	d := u.server().Watchdog.Every
	if d <= 0 || u.proc == nil || u.ended || !u.m.passed {
		return
	}
	if u.patience == 0 || u.patience < mostPatience && u.dog.late(dogLate) {
		u.patience++
		u.dog.set(dogGrace, u.wake)
		return
	}
	u.weigh(monitor.Verdict{Server: u.name, Run: u.run.ID, From: monitor.FromWatchdog, Why: "it has given no sign of life (WATCHDOG=1) for " + d.String(), At: time.Now()})
}
