package main

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"tend/services"
)

// wish is how the manager is to end, and what made it end.
type wish struct {
	keep      bool            // its servers run on
	program   string          // that takes its place, empty for none
	signalled bool            // it was a signal that asked
	ended     *essentialEnded // or the end of the essential server
}

func (w wish) farewell() string {
	switch {
	case w.program != "":
		return "the manager makes room for another program, its servers run on"
	case w.keep:
		return "the manager ends, its servers run on"
	}
	return "the manager ends and stops its servers"
}

// state is what systemd is told.
func (w wish) state() string {
	if w.program != "" {
		return "RELOADING=1"
	}
	return "STOPPING=1"
}

// patience is how long open calls may take. Somebody who waits for the next
// manager is not kept waiting by a browser that has connected and says nothing.
func (w wish) patience() time.Duration {
	if w.program != "" {
		return 100 * time.Millisecond
	}
	return 2 * time.Second
}

// waitForEnd returns when somebody asks the manager to end, or when the
// essential server has ended.
func (m *manager) waitForEnd(ctx context.Context, signals <-chan os.Signal) wish {
	for {
		select {
		case <-ctx.Done():
			return wish{}
		case w := <-m.asked:
			return w
		case ended := <-m.essential:
			m.log.Info("the essential server has ended", "server", ended.status.Name, "why", ended.status.Why)
			return wish{ended: ended}
		case sig := <-signals:
			switch sig {
			case syscall.SIGHUP:
				m.hangUp(ctx)
			case syscall.SIGUSR2:
				if err := m.upgrade(ctx, "signal"); err != nil {
					m.log.Error("SIGUSR2: no other program takes over", "err", err)
				}
			default:
				return wish{signalled: true}
			}
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
			if sig == syscall.SIGHUP || sig == syscall.SIGUSR2 {
				continue
			}
			if !signalled {
				signalled = true
				continue
			}
			m.log.Warn("killing all servers")
			calls.Go(func() {
				m.orch.StopAll(ctx, services.Kill) //nolint:errcheck // the first call reports the outcome
			})
		}
	}
}
