package orchestrator

import (
	"context"
	"iter"

	"tend/services"
)

// Finding is what somebody has found out about a run.
type Finding struct {
	Server, Run string
	Kind        services.EventKind
	Text        string // a part of a sentence: "memory is above 400 MB for 30s: 512 MB"
	Resolve     bool   // what was wrong is well again
	Restart     bool   // the run is to be ended as a failure
}

// Find tells of a finding. It does not wait for what follows.
func (o *Orchestrator) Find(f Finding) {
	u := o.roster.Load().byName[f.Server]
	if u == nil {
		return
	}
	o.tasks.Go(func() { u.send(context.Background(), message{finding: &f}) }) //nolint:errcheck // it ends with the unit
}

// Statuses yields the last published status of every server, without what is
// read at each look: the time of the last check and what it uses.
func (o *Orchestrator) Statuses() iter.Seq[*services.Status] {
	return func(yield func(*services.Status) bool) {
		for _, u := range o.roster.Load().units {
			if !u.removed.Load() && !yield(u.status.Load()) {
				return
			}
		}
	}
}

// Thresholds returns the thresholds that a server has now.
func (o *Orchestrator) Thresholds(server string) []services.Threshold {
	if !o.rounds.judged.Load() {
		return nil // nobody has any, which is known without a look at the unit
	}
	if u := o.roster.Load().byName[server]; u != nil {
		return u.server().Thresholds
	}
	return nil
}

// found takes a finding about the present run; one about an earlier run is
// late.
func (u *unit) found(f Finding) {
	if f.Run != u.run.ID || u.proc == nil || u.ended {
		return
	}
	u.events = append(u.events, services.Event{
		Kind: f.Kind, Server: u.name, Message: u.name + ": " + f.Text, Resolve: f.Resolve, Status: u.status.Load(),
	})
	u.publish()
	if f.Restart {
		u.doom(f.Text)
	}
}
