package orchestrator

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"

	"tend/services"
)

// tell makes an event of the present state, if it differs from what was told
// last.
func (u *unit) tell(kind services.EventKind) {
	s := u.snapshot()
	if last := u.status.Load(); last != nil {
		s.Rev = last.Rev
		s.LastCheck = last.LastCheck // alone, no news
		if reflect.DeepEqual(s, last) {
			return
		}
	}
	u.rev++
	s.Rev = u.rev
	s.LastCheck = u.lastCheck()
	u.status.Store(s)
	u.events = append(u.events, services.Event{
		Kind: kind, Server: u.server.Name, Message: u.server.Name + ": " + s.Why, Status: s,
	})
}

// publish records, then shows, what has been told since, and lets the
// neighbours know the new facts.
func (u *unit) publish() {
	if facts := u.newFacts(); facts != u.facts.Load() {
		u.facts.Store(facts)
		for _, side := range [][]*unit{u.needs, u.needed} {
			for _, n := range side {
				select {
				case n.nudge <- struct{}{}:
				default: // it is about to look anyway
				}
			}
		}
	}
	if len(u.events) == 0 {
		return
	}
	u.trades.State.Put(u.record())
	for _, e := range u.events {
		u.trades.Bus.Publish(e)
	}
	u.events = u.events[:0]
}

func (u *unit) newFacts() (facts uint32) {
	if u.m.Phase == services.Running && (u.server.Port == 0 || u.healthy != nil && *u.healthy) {
		facts |= factReady
	}
	if u.proc != nil && (u.m.Phase == services.Stopping || u.m.Want == services.Down) {
		facts |= factLeaving
	}
	return facts
}

func (u *unit) record() services.Record {
	rec := services.Record{
		Name: u.server.Name, Want: cmp.Or(u.wanted, u.m.Want), Phase: u.m.Phase, Exit: u.exit,
		Restarts: u.restart, Failures: u.m.failures, Why: u.problem, Rev: u.rev,
	}
	if u.m.Phase == services.Stopped {
		rec.Why = u.cause
	}
	if u.proc != nil {
		run := u.run
		rec.Run = &run
	}
	return rec
}

func (u *unit) snapshot() *services.Status {
	s := &services.Status{
		ID: u.server.Name, Name: u.server.Name, Description: u.server.Description, Group: u.server.Group,
		Command: commandLine(u.server.Command), DependsOn: u.server.Needs(), Port: services.Int(u.server.Port),
		Phase: u.m.Phase, Want: u.m.Want, Why: u.why(), Healthy: u.healthy,
		Restarts: u.restart, Exit: u.exit, NextAttempt: services.Time{Time: u.next},
	}
	if u.proc != nil {
		tracking := u.proc.Tracking()
		s.Running, s.Tracking, s.Adopted = true, &tracking, u.adopted
		if !u.ended {
			s.PID, s.Run = services.Int(u.run.Leader.PID), u.run.ID
		}
		s.StartedAt = services.Time{Time: u.run.StartedAt}
		s.Drift = !u.orphan && u.run.Digest != "" && u.run.Digest != u.digest
	}
	switch {
	case u.orphan:
		orphaned(s, services.Unconfigured, u.run.Leader.PID, s.Command)
	case u.holder != nil && u.proc == nil:
		s.Running = true
		orphaned(s, services.Foreign, u.holder.PID, u.holder.Command)
	}
	return s
}

// current returns the last published status with the time of the last check.
// Anybody may call it.
func (u *unit) current() services.Status {
	s := *u.status.Load()
	s.LastCheck = u.lastCheck()
	return s
}

func (u *unit) lastCheck() services.Time {
	if at := u.checked.Load(); at != 0 {
		return services.Time{Time: time.UnixMilli(at)}
	}
	return services.Time{}
}

func orphaned(s *services.Status, kind services.OrphanKind, pid int, command string) {
	s.Orphaned, s.OrphanKind, s.OrphanedPID, s.OrphanCommand = true, &kind, services.Int(pid), command
}

// commandLine shows a command as a person would type it.
func commandLine(c services.Command) string {
	if c.Shell != "" {
		return c.Shell
	}
	words := make([]string, len(c.Argv))
	for i, word := range c.Argv {
		words[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\$`") {
			words[i] = fmt.Sprintf("%q", word)
		}
	}
	return strings.Join(words, " ")
}

const clock = "15:04:05"

// why says in one sentence why the server is as it is.
func (u *unit) why() string {
	if u.holder != nil && u.proc == nil && u.m.Phase != services.Starting {
		return fmt.Sprintf("%s; port %d is held by pid %d (%s)", u.whyPhase(), u.server.Port, u.holder.PID, u.holder.Command)
	}
	return u.whyPhase()
}

func (u *unit) whyPhase() string {
	switch u.m.Phase {
	case services.Stopped:
		if u.cause == "" {
			return "not started"
		}
		return u.cause
	case services.Waiting:
		return u.whyWaiting()
	case services.Starting:
		return "starting"
	case services.Running:
		switch {
		case u.orphan:
			return "runs on although it is not configured any more"
		case u.healthy != nil && !*u.healthy:
			return "runs, but " + u.ailing
		case u.healthy == nil:
			return "running; its port has not been checked yet"
		case u.adopted:
			return "running, taken over from an earlier manager"
		}
		return "running"
	case services.Stopping:
		return u.whyStopping()
	case services.BackOff:
		return fmt.Sprintf("%s; next attempt at %s", u.howItEnded(), u.next.Local().Format(clock))
	case services.Failed:
		switch {
		case u.problem != "" && u.m.failures == 0:
			return u.problem
		case u.policy.GiveUp > 0 && u.m.failures > u.policy.GiveUp:
			return fmt.Sprintf("%s; gave up after %s", u.howItEnded(), times(u.policy.GiveUp, "restart"))
		}
		return u.howItEnded() + "; its restart policy is " + string(u.policy.Restart)
	}
	return u.howItEnded()
}

func (u *unit) whyWaiting() string {
	var names []string
	for _, n := range u.needs {
		if n.facts.Load()&factReady != 0 {
			continue
		}
		name := n.server.Name
		if s := n.status.Load(); s != nil {
			state := string(s.Phase)
			if s.Phase == services.Running {
				state = "port does not answer yet"
			}
			name += " (" + state + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "about to start"
	}
	return "waiting for " + strings.Join(names, ", ")
}

func (u *unit) whyStopping() string {
	if u.ended {
		return u.howItEnded() + "; what it has left behind is being ended"
	}
	switch u.m.step {
	case holding:
		return "waiting for those that depend on it to stop first"
	case terminating:
		return fmt.Sprintf("was sent %s; SIGKILL follows at %s", services.SignalName(u.server.Stop.Signal), u.until.Local().Format(clock))
	}
	left := u.proc.Survivors()
	if len(left) == 0 {
		return "was sent SIGKILL"
	}
	pids := make([]string, len(left))
	for i, pid := range left {
		pids[i] = fmt.Sprint(pid)
	}
	return "was sent SIGKILL; still alive: pid " + strings.Join(pids, ", ")
}

func (u *unit) howItEnded() string {
	if u.exit == nil {
		return u.problem
	}
	text := fmt.Sprintf("%s at %s", u.exit.Reason(), u.exit.At.Local().Format(clock))
	if u.lasted > 0 {
		text += " after " + span(u.lasted)
	}
	if u.m.failures > 1 {
		text += ", " + ordinal(u.m.failures) + " failure in a row"
	}
	return text
}

// span writes a duration with the precision that people want.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
