package main

import (
	"context"
	"fmt"
	"iter"
	"syscall"

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
	judges map[string]*monitor.Thresholds
}

// newSampler makes what measures.
func (m *manager) newSampler() *monitor.Sampler {
	r := &resources{manager: m, meter: m.host.NewMeter(), judges: make(map[string]*monitor.Thresholds)}
	return monitor.NewSampler(monitor.SamplerOptions{Measure: r.measure, Status: m.orch.Statuses, Report: r.sampled})
}

func (r *resources) measure(ctx context.Context) iter.Seq[monitor.Reading] {
	return func(yield func(monitor.Reading) bool) {
		for u := range r.meter.Read(ctx) {
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
	rules := r.orch.Thresholds(server)
	if len(rules) == 0 {
		delete(r.judges, server)
		return
	}
	judge := r.judges[server]
	if judge == nil {
		judge = &monitor.Thresholds{}
		r.judges[server] = judge
	}
	for _, c := range judge.Judge(rules, run, s) {
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
