// Package orchestrator joins the trades: it decides when a server is started,
// stopped and started again, and takes the servers of an earlier manager back.
//
// One goroutine, the unit, owns one server: its machine, its process, its
// timer. The machine is a pure value that says what follows from what
// happened. Others put messages into the unit's inbox or read its last
// immutable status; units that depend on each other look at each other's
// published facts and are nudged when those change. An order is answered once
// the wants it changed are written down.
package orchestrator

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tend/services"
	"tend/services/monitor"
)

// recordTime bounds how long an order waits until it is written down.
const recordTime = 10 * time.Second

// Options is what an orchestrator begins with.
type Options struct {
	Servers []services.Server
	Digest  func(services.Server) string // of what decides how a server runs
	Records []services.Record            // of the manager before
	Clean   bool                         // it ended in peace: autostart decides
	Boot    string
	Trades  Trades
}

// Orchestrator is the local Control.
type Orchestrator struct {
	trades Trades
	units  []*unit // in the order of the configuration, then orphans; never changes
	byName map[string]*unit
	first  map[*unit][]Input // what each unit begins with
	strays []services.Run
	budget time.Duration
	tasks  sync.WaitGroup // what orders have left to do
	ending atomic.Bool    // everything is being stopped: nothing starts any more
}

// New finds what an earlier manager has left running, takes it over and plans
// the rest; nothing is started before Run. The error is about the search: a
// run that cannot be taken over is logged and treated as lost.
func New(o Options) (*Orchestrator, error) {
	var known []services.Run
	for _, rec := range o.Records {
		if rec.Run != nil {
			known = append(known, *rec.Run)
		}
	}
	alive, err := o.Trades.Host.Find(known)
	if err != nil {
		return nil, fmt.Errorf("look for servers of an earlier manager: %w", err)
	}
	orch := &Orchestrator{
		trades: o.Trades,
		byName: make(map[string]*unit, len(o.Servers)),
		first:  make(map[*unit][]Input, len(o.Servers)),
	}
	epoch := uint64(time.Now().UnixMilli()) << 10 // revisions grow even if the last ones were not recorded
	for _, r := range plan(o.Servers, o.Records, alive, o.Clean, o.Boot) {
		u := newUnit(r, o.Trades, epoch)
		if r.orphan {
			u.server.Command.Shell = o.Trades.Ports.Command(r.adopt.Leader.PID)
		} else {
			u.digest = o.Digest(r.server)
		}
		orch.units = append(orch.units, u)
		orch.byName[u.server.Name] = u
		orch.strays = append(orch.strays, r.strays...)
		orch.first[u] = u.resume(r)
	}
	for _, rec := range o.Records {
		if orch.byName[rec.Name] == nil {
			o.Trades.State.Forget(rec.Name)
		}
	}
	orch.connect()
	return orch, nil
}

func newUnit(r resumption, trades Trades, epoch uint64) *unit {
	u := &unit{
		server: r.server, orphan: r.orphan, trades: trades,
		policy: Policy{Restart: r.server.Restart, GiveUp: r.server.Backoff.GiveUp},
		log:    trades.Log.With(slog.String("server", r.server.Name)),
		inbox:  make(chan message), nudge: make(chan struct{}, 1), done: make(chan struct{}),
		rev: max(r.record.Rev+1, epoch), restart: r.record.Restarts, exit: r.record.Exit,
		m: Machine{Want: r.record.Want, Phase: services.Stopped, failures: r.record.Failures},
	}
	if r.record.Phase == services.Stopped {
		u.cause = r.record.Why
	} else {
		u.problem = r.record.Why
	}
	return u
}

// resume brings the unit into the state that the plan asks for and returns
// what it has to be told first.
func (u *unit) resume(r resumption) []Input {
	if r.adopt != nil {
		proc, err := u.trades.Host.Adopt(*r.adopt)
		if err == nil {
			u.take(proc, r.adopt.Digest, true)
			u.trades.Logs.Attach(u.server.Name, u.server.Logs)
			u.m.Phase, u.m.step = services.Running, alive
			if r.again {
				return []Input{{Kind: OrderRestart}}
			}
			return []Input{{Kind: Resume}}
		}
		u.log.Warn("a run could not be taken over", "run", r.adopt.ID, "err", err)
		r.lost = true
	}
	switch {
	case r.lost:
		exit := services.UnknownExit(time.Now())
		u.exit, u.exiting = &exit, true
		u.m.Phase, u.m.step, u.m.end, u.m.again = services.Running, killing, endedUnseen, r.again
		return []Input{{Kind: Gone}}
	case r.fresh:
		return []Input{{Kind: Resume}}
	}
	u.m.Phase = r.record.Phase
	return nil
}

// connect links the units along the dependencies.
func (o *Orchestrator) connect() {
	for _, u := range o.units {
		for _, name := range u.server.Needs() {
			if n := o.byName[name]; n != nil {
				u.needs = append(u.needs, n)
				n.needed = append(n.needed, u)
			}
		}
		u.m.ready = len(u.needs) == 0
	}
	chains := make(map[*unit]time.Duration, len(o.units))
	for _, u := range o.units {
		u.hold = u.dependentsStop(chains)
		o.budget = max(o.budget, u.hold+u.ownStop())
		u.tell(services.EventAdopted)
		if u.proc == nil {
			u.events = nil // the first list tells it
		}
		u.facts.Store(u.newFacts())
	}
}

// ownStop is the time that the unit alone may take to stop.
func (u *unit) ownStop() time.Duration { return u.server.Stop.Timeout + killAgain }

// dependentsStop is the time that the longest chain of dependents may take to
// stop, one after the other. known remembers what was computed.
func (u *unit) dependentsStop(known map[*unit]time.Duration) time.Duration {
	if d, ok := known[u]; ok {
		return d
	}
	longest := time.Duration(0)
	for _, n := range u.needed {
		longest = max(longest, n.dependentsStop(known)+n.ownStop())
	}
	known[u] = longest
	return longest
}

// StopBudget returns the longest time that an orderly stop of everything can
// take.
func (o *Orchestrator) StopBudget() time.Duration { return o.budget }

// Run supervises until ctx ends, and leaves the processes as they are then.
// Call it once.
func (o *Orchestrator) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, run := range o.strays {
		wg.Go(func() { o.endStray(ctx, run) })
	}
	o.strays = nil
	for _, u := range o.units {
		first := o.first[u]
		wg.Go(func() { u.loop(ctx, first) })
	}
	o.first = nil
	wg.Wait()
	<-ctx.Done()
	o.tasks.Wait()
	return nil
}

// endStray ends a second live run of a server.
func (o *Orchestrator) endStray(ctx context.Context, run services.Run) {
	proc, err := o.trades.Host.Adopt(run)
	if err != nil {
		return // gone meanwhile
	}
	o.trades.Log.Warn("a second run of a server was found and is ended", "server", run.Server, "pid", run.Leader.PID)
	proc.Kill()
	select {
	case <-proc.Gone():
	case <-ctx.Done():
	}
}

// Targets lists what the monitor has to check.
func (o *Orchestrator) Targets() []monitor.Target {
	out := make([]monitor.Target, 0, len(o.units))
	for _, u := range o.units {
		t := monitor.Target{Server: u.server.Name, Port: u.server.Port}
		if s := u.status.Load(); s.PID != 0 {
			t.Alive, t.Run = true, s.Run
		}
		out = append(out, t)
	}
	return out
}

// Report takes the result of a check from the monitor. A result that changes
// nothing costs no message.
func (o *Orchestrator) Report(ctx context.Context, r monitor.Result) {
	u := o.byName[r.Server]
	if u == nil {
		return
	}
	s := u.status.Load()
	pid := 0
	if r.Holder != nil {
		pid = r.Holder.PID
	}
	if s.Run == r.Run && same(s.Healthy, r.Healthy) && (s.PID != 0 || int(s.OrphanedPID) == pid) {
		u.checked.Store(r.At.UnixMilli())
		return
	}
	u.send(ctx, message{check: &r}) //nolint:errcheck // a unit that has ended needs no results
}

func same(a, b *bool) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// Watch yields events as Control demands.
func (o *Orchestrator) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	return o.trades.Bus.Watch(ctx, after)
}
