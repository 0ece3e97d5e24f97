package main

import (
	"context"
	"iter"

	"tend/services/logs"
	"tend/services/monitor"
	"tend/services/orchestrator"
	"tend/services/process"
)

// checker is everything that looks whether servers are well.
type checker struct {
	*monitor.Monitor
	*monitor.Prober
}

// Run is the life of neither of the two: each has its own.
func (checker) Run() {}

// newProber makes what runs the ready and live checks.
func (m *manager) newProber() *monitor.Prober {
	return monitor.NewProber(monitor.ProberOptions{
		Exec: m.host.Probe, Lines: m.linesAfter, Output: m.logs.LastOutput, Eyes: m.eyes(),
		Report: func(v monitor.Verdict) { m.orch.Verdict(v) },
	})
}

// eyes see whether a server hangs.
func (m *manager) eyes() monitor.Eyes {
	return monitor.Eyes{Owned: m.host.OwnsSocket, Halted: m.host.Halted}
}

// linesAfter yields what a server writes from an address on; from now on where
// there is none.
func (m *manager) linesAfter(ctx context.Context, server, after string) iter.Seq[string] {
	query := logs.Query{Follow: true, Tail: -1}
	address, err := logs.ParseAddress(after)
	if query.After = address; err != nil {
		query.Tail = 0
	}
	return func(yield func(string) bool) {
		for line, err := range m.logs.Read(ctx, server, query) {
			if err != nil || !yield(string(line.Text)) {
				return
			}
		}
	}
}

// heard passes on what a server says of itself.
func (m *manager) heard(n process.Notice) {
	m.orch.Notice(orchestrator.Notice{
		Server: n.Server, Run: n.Run, Ready: n.Ready, Stopping: n.Stopping, Reloading: n.Reloading, Watchdog: n.Watchdog, Status: n.Status,
	})
}
