package orchestrator

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"

	"tend/services"
	"tend/services/failpoint"
)

// tell makes an event of the present state, if it differs from what was told
// last.
func (u *unit) tell(kind services.EventKind) {
	s, last := u.snapshot(), u.status.Load()
	if last != nil {
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
	u.rounds.changes.Add(1)
	e := services.Event{Kind: kind, Server: u.name, Message: u.name + ": " + s.Why, By: u.by, Status: s}
	failed := s.Phase == services.Failed && (last == nil || last.Phase != services.Failed)
	switch kind {
	case services.EventExited:
		e.Crash = u.crashed
	case services.EventHealth:
		e.Resolve = s.Healthy != nil && *s.Healthy
	case services.EventOrphan:
		e.Resolve = !s.Orphaned
	}
	u.events = append(u.events, e)
	if failed {
		e.Kind, e.Crash = services.EventFailed, false
		u.events = append(u.events, e)
	}
}

// publish records, then shows, what has been told since, and lets the
// neighbours know the new facts.
func (u *unit) publish() {
	if facts := u.newFacts(); facts != u.facts.Load() {
		u.facts.Store(facts)
		l := u.links.Load()
		for _, n := range l.needs {
			n.look()
		}
		for _, n := range l.needed {
			n.look()
		}
	}
	if len(u.events) == 0 {
		return
	}
	failpoint.At("publish-begun")
	u.trades.State.Put(u.record())
	failpoint.At("publish-noted")
	for _, e := range u.events {
		u.trades.Bus.Publish(e)
	}
	failpoint.At("publish-told")
	u.events = u.events[:0]
}

// look has the unit look at its neighbours.
func (u *unit) look() {
	u.nudged.Store(true)
	u.wake()
}

func (u *unit) newFacts() uint64 {
	facts := u.turns << factBits
	s := u.server()
	up := u.proc != nil && !u.ended && (u.m.Phase == services.Running || u.m.Phase == services.Starting)
	if up {
		facts |= factStarted
	}
	if u.m.Phase == services.Running && (u.policy().Gated || s.Port == 0 || u.healthy != nil && *u.healthy) {
		facts |= factReady
	}
	if s.Type == services.Task && u.m.Phase == services.Exited && u.exit != nil {
		facts |= factCompleted
	}
	if u.proc != nil && (u.m.Phase == services.Stopping || u.m.Want == services.Down) {
		facts |= factLeaving
	}
	return facts
}

func (u *unit) record() services.Record {
	rec := services.Record{
		Name: u.name, Want: cmp.Or(u.wanted, u.m.Want), Phase: u.m.Phase, Exit: u.exit,
		Restarts: u.restart, Failures: u.m.failures, Why: u.problem, Rev: u.rev, Daemon: u.daemon,
	}
	if u.m.Phase == services.Stopped {
		rec.Why = u.cause
	}
	if u.proc != nil {
		run := u.run
		rec.Run = &run
	}
	rec.Why = u.hide(rec.Why)
	return rec
}

// hide takes out of a text what is secret: it may have come from the server,
// its checks or a holder of its port.
func (u *unit) hide(text string) string {
	if u.trades.Secrets == nil {
		return text
	}
	return u.trades.Secrets.Hide(text)
}

// loopFrom is how many failures in a row make a crash loop.
const loopFrom = 3

func (u *unit) snapshot() *services.Status {
	c := u.server()
	s := &services.Status{
		ID: u.name, Name: u.name, Description: c.Description, Group: c.Group,
		Command: u.hide(commandLine(c.Command)), DependsOn: c.Needs(), Until: c.Until(), Port: services.Int(c.Port), Type: c.Type, Schedule: c.Schedule.String(),
		Phase: u.m.Phase, Want: u.m.Want, Why: u.hide(u.why()), Healthy: u.healthy,
		Restarts: u.restart, Exit: u.exit, NextAttempt: services.Time{Time: u.next}, NextRun: services.Time{Time: u.fire},
		CrashLoop: u.m.failures >= loopFrom,
	}
	if s.Phase == services.Starting && s.Healthy != nil && *s.Healthy {
		s.Healthy = nil // it is not ready yet: nobody can say that it is well
	}
	s.NeededBy = []string{}
	for _, n := range u.links.Load().needed {
		s.NeededBy = append(s.NeededBy, n.name)
	}
	if u.proc != nil {
		tracking := u.proc.Tracking()
		s.Running, s.Tracking, s.Adopted = true, &tracking, u.adopted
		if !u.ended {
			s.PID, s.Run = services.Int(u.run.Leader.PID), u.run.ID
		}
		s.StartedAt, s.Limits, s.MemoryKind = services.Time{Time: u.run.StartedAt}, u.limits, u.memory
		s.Notified, s.Recipe = u.hide(u.notified), u.run.Digest
		s.Drift = !u.orphan() && u.run.Digest != "" && u.run.Digest != u.settings.Load().digest
	}
	switch {
	case u.orphan():
		orphaned(s, services.Unconfigured, u.run.Leader.PID, s.Command)
	case u.holder != nil && u.proc == nil:
		s.Running = true
		orphaned(s, services.Foreign, u.holder.PID, u.hide(u.holder.Command))
	}
	return s
}

// current returns the last published status with the time of the last check.
// Anybody may call it.
func (u *unit) current() services.Status {
	s := *u.status.Load()
	s.LastCheck = u.lastCheck()
	if u.trades.Usage != nil && s.PID != 0 {
		s.Usage = u.trades.Usage(u.name)
		if s.Usage != nil && s.Usage.At.Before(s.StartedAt.Time) {
			s.Usage = nil // of the run before
		}
		if s.Usage != nil && s.Usage.Memory >= 0 {
			s.CPU, s.Memory = &s.Usage.CPU, (*int64)(&s.Usage.Memory)
		}
	}
	return s
}

func (u *unit) lastCheck() services.Time {
	at := u.checked.Load()
	if at != 0 && u.server().Port == 0 {
		at = max(at, u.rounds.at.Load())
	}
	if at != 0 {
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
