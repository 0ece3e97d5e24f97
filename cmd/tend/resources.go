package main

import (
	"context"
	"fmt"
	"iter"
	"syscall"
	"time"

	"tend/services"
	"tend/services/monitor"
	"tend/services/orchestrator"
	"tend/services/process"
)

// resources measures what the servers use and tells everybody who wants to
// know. Only the sampler's goroutine touches it.
type resources struct {
	*manager
	meter  *process.Meter
	judges map[string]*judge // of servers that have thresholds
}

// judge judges what the present run of a server uses.
type judge struct {
	monitor.Thresholds
	run string
}

// newSampler makes what measures.
func (m *manager) newSampler() *monitor.Sampler {
	r := &resources{manager: m, meter: m.host.NewMeter(), judges: make(map[string]*judge)}
	return monitor.NewSampler(monitor.SamplerOptions{
		Measure: r.measure, Status: m.orch.Statuses, Report: r.sampled, Repeat: r.repeated,
		Changes: func() uint64 { return m.orch.Changes() + m.host.Changes() },
	})
}

func (r *resources) measure(ctx context.Context, all bool) iter.Seq[monitor.Reading] {
	return func(yield func(monitor.Reading) bool) {
		for u := range r.meter.Read(ctx, all) {
			if !yield(monitor.Reading{
				Server: u.Server, Run: u.Run, Started: u.Started, CPU: u.CPU, Read: u.Read, Write: u.Write,
				Memory: u.Memory, Processes: u.Processes, Threads: u.Threads, Files: u.Files,
			}) {
				return
			}
		}
	}
}

// sampled hands a sample to whoever keeps, shows or judges it.
func (r *resources) sampled(server, run string, s services.Sample) {
	r.past.Sample(server, s)
	r.metrics.Sample(server, s)
	r.recent.Add(server, s)
	if r.hub.Looking() {
		r.sampler.Look()
		r.push.Sample(server, s)
	}
	r.judge(server, run, s)
}

// repeated gives the servers that have none of this pass their last sample once
// more. To judge one twice changes nothing.
func (r *resources) repeated(at, since time.Time) {
	r.past.Repeat(at, since)
	r.metrics.Repeat(at)
	r.recent.Repeat(at, since)
	if r.hub.Looking() {
		r.sampler.Look()
	}
	for server, one := range r.judges {
		if s := r.recent.Newest(server); s != nil {
			r.judge(server, one.run, *s)
		}
	}
}

// judge tells what a server uses too much.
func (r *resources) judge(server, run string, s services.Sample) {
	rules := r.orch.Thresholds(server)
	if len(rules) == 0 {
		delete(r.judges, server)
		return
	}
	one := r.judges[server]
	if one == nil {
		one = &judge{}
		r.judges[server] = one
	}
	one.run = run
	for _, c := range one.Judge(rules, run, s) {
		r.orch.Find(orchestrator.Finding{
			Server: server, Run: run, Kind: services.EventThreshold, Text: c.String(), Resolve: c.Over,
			Restart: !c.Over && c.Threshold.Action == services.ThresholdRestart,
		})
	}
}

// signal sends a signal to one process of a run, and tells everybody.
func (m *manager) signal(server, run string, pid int, sig syscall.Signal, by string) error {
	if err := m.host.Signal(run, pid, sig); err != nil {
		return err
	}
	m.bus.Publish(services.Event{Kind: services.EventManager, Server: server, By: by, Message: fmt.Sprintf("%s was sent to pid %d", services.SignalName(sig), pid)})
	return nil
}
