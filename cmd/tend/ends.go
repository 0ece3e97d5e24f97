package main

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"tend/services"
)

// waitForEnd returns when somebody asks the manager to end, whether the servers
// are to run on, and whether it was a signal that asked; or when the essential
// server has ended.
func (m *manager) waitForEnd(ctx context.Context, signals <-chan os.Signal) (keep, signalled bool, ended *essentialEnded) {
	for {
		select {
		case <-ctx.Done():
			return false, false, nil
		case keep := <-m.asked:
			return keep, false, nil
		case ended := <-m.essential:
			m.log.Info("the essential server has ended", "server", ended.status.Name, "why", ended.status.Why)
			return false, false, ended
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				return false, true, nil
			}
			m.hangUp(ctx)
		}
	}
}

// stopServers stops everything in reverse order of the dependencies. A second
// signal, the first being what began the stop or not, kills what is left.
func (m *manager) stopServers(ctx context.Context, signals <-chan os.Signal, signalled bool) error {
	budget := m.orch.StopBudget() + 5*time.Second
	m.log.Info("stopping all servers; a second signal kills them", "at most", budget)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), budget)
	defer cancel()
	done := make(chan error, 1)
	var calls sync.WaitGroup
	defer calls.Wait()
	calls.Go(func() { done <- m.orch.StopAll(ctx, services.Stop) })
	for {
		select {
		case err := <-done:
			return err
		case sig := <-signals:
			if sig == syscall.SIGHUP || !signalled {
				signalled = signalled || sig != syscall.SIGHUP
				continue
			}
			m.log.Warn("killing all servers")
			calls.Go(func() {
				m.orch.StopAll(ctx, services.Kill) //nolint:errcheck // the first call reports the outcome
			})
		}
	}
}
