package main

import (
	"context"
	"fmt"

	"tend/services"
)

// essentialEnded is the end of a manager whose essential server (exit_on) has
// come to its end: the program exits as that server did.
type essentialEnded struct {
	status services.Status
}

// Error says how the server ended.
func (e *essentialEnded) Error() string {
	return fmt.Sprintf("exit_on %s: %s; everything else was stopped", e.status.Name, e.status.Why)
}

// code is what a shell would report of the server, and 1 for an end that
// nobody saw or that was no exit at all.
func (e *essentialEnded) code() int {
	exit := e.status.Exit
	switch {
	case exit == nil || !exit.Seen:
		return exitFailed
	case exit.Signal != 0:
		return 128 + int(exit.Signal)
	}
	return exit.Code
}

// watchEssential says how the essential server has ended, once it is over: it
// failed or exited, and its policy does not start it again. A stop by a person
// is no such end.
func (m *manager) watchEssential(ctx context.Context, from uint64) error {
	for e, err := range m.orch.Watch(ctx, from) {
		if err != nil {
			return err
		}
		s := e.Status
		if e.Server != m.cfg.ExitOn || s == nil || s.Phase != services.Failed && s.Phase != services.Exited || !s.NextRun.IsZero() {
			continue
		}
		select {
		case m.essential <- &essentialEnded{*s}:
		default: // it has ended before
		}
	}
	return nil
}
