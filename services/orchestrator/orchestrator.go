// Package orchestrator joins the trades: it decides when a server is started,
// stopped and started again, and takes the servers of an earlier manager back.
//
// A unit owns one server: its machine, its process, its timers. The machine is
// a pure value that says what follows from what happened. Whoever has news for
// a unit wakes it; then one goroutine, and never two, does what is to be done
// and ends. Others put messages into the unit's inbox or read its last immutable
// status; units that depend on each other look at each other's published facts
// and are nudged when those change. An order is answered once the wants it
// changed are written down.
package orchestrator

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"tend/services"
	"tend/services/failpoint"
	"tend/services/monitor"
)

// recordTime bounds how long an order waits until it is written down.
const recordTime = 10 * time.Second

// Options is what an orchestrator begins with.
type Options struct {
	Servers []services.Server
	Digest  func(services.Server) string // of what decides how a server runs
	Times   Timetable                    // of schedules
	Records []services.Record            // of the manager before
	Clean   bool                         // it ended in peace: autostart decides
	Boot    string
	Trades  Trades
}

// Timetable returns the times of a schedule: the first one after an instant,
// zero for never again.
type Timetable func(services.Schedule) (next func(after time.Time) time.Time, err error)

// Orchestrator is the local Control.
type Orchestrator struct {
	trades Trades
	digest func(services.Server) string
	times  Timetable
	epoch  uint64 // below every revision of the first units
	since  time.Time
	roster atomic.Pointer[roster]
	rounds rounds
	first  map[*unit][]Input // what each unit begins with
	strays []services.Run
	tasks  sync.WaitGroup // what orders have left to do
	ending atomic.Bool    // everything is being stopped: nothing starts any more

	begun chan struct{}   // closed once life is there
	life  context.Context // of Run
	lives sync.WaitGroup  // units that have begun and not ended, and those who end strays

	reload sync.Mutex // held by whoever changes the roster
}

// roster is every unit there is. It is immutable: a reload makes another one.
type roster struct {
	units  []*unit // in the order of the configuration, then orphans
	byName map[string]*unit
	budget time.Duration // the longest time that an orderly stop of all can take
}

// rounds is what the units and the monitor tell each other without a message.
type rounds struct {
	changes atomic.Uint64 // grows after something has changed that the monitor goes by
	at      atomic.Int64  // when all servers without a port were last looked at, unix milliseconds
	judged  atomic.Bool   // a unit has, or had, thresholds
}

// New finds what an earlier manager has left running, takes it over and plans
// the rest; nothing is started before Run. The error says that something is
// alive, or may be, that cannot be looked after: to go on would mean a second
// instance of it.
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
	failpoint.At("adopt-found")
	orch := &Orchestrator{
		trades: o.Trades, digest: o.Digest, times: o.Times,
		epoch: uint64(time.Now().UnixMilli()) << 10, // revisions grow even if the last ones were not recorded
		since: time.Now(),
		first: make(map[*unit][]Input, len(o.Servers)),
		begun: make(chan struct{}),
	}
	list := &roster{byName: make(map[string]*unit, len(o.Servers))}
	for _, r := range plan(o.Servers, o.Records, alive, o.Clean, o.Boot) {
		given, err := orch.settingsOf(r)
		if err != nil {
			return nil, err
		}
		u := orch.newUnit(r, given, orch.epoch)
		list.add(u)
		orch.strays = append(orch.strays, r.strays...)
		if orch.first[u], err = u.resume(r); err != nil {
			return nil, fmt.Errorf("take back the servers of an earlier manager: %w", err)
		}
	}
	for _, rec := range o.Records {
		if list.byName[rec.Name] == nil {
			o.Trades.State.Forget(rec.Name)
		}
	}
	list.connect()
	for _, u := range list.units {
		u.m.ready = u.satisfied()
		u.tell(services.EventAdopted)
		if u.proc == nil {
			u.events = nil // the first list tells it
		}
		u.facts.Store(u.newFacts())
	}
	for _, u := range list.units {
		u.rely()
	}
	orch.roster.Store(list)
	failpoint.At("adopt-done")
	return orch, nil
}

func (o *Orchestrator) settingsOf(r resumption) (*settings, error) {
	if !r.orphan {
		return newSettings(r.server, o.digest(*r.server), o.times)
	}
	r.server.Command.Shell = o.trades.Ports.Command(r.adopt.Leader.PID)
	given, err := newSettings(r.server, "", nil)
	if err != nil {
		return nil, err
	}
	return given.abandoned(), nil
}

func (o *Orchestrator) newUnit(r resumption, given *settings, epoch uint64) *unit {
	u := &unit{
		name: r.server.Name, trades: o.trades, rounds: &o.rounds, by: "manager",
		inbox: make(chan *message, 1), done: make(chan struct{}),
		rev: max(r.record.Rev+1, epoch), restart: r.record.Restarts, exit: r.record.Exit, daemon: r.record.Daemon,
		m: Machine{Want: r.record.Want, Phase: services.Stopped, failures: r.record.Failures},
	}
	u.wakes.Store(1) // it is not to be woken before it has begun
	u.set(given)
	u.links.Store(&links{})
	if r.record.Phase == services.Stopped {
		u.cause = r.record.Why
	} else {
		u.problem = r.record.Why
	}
	return u
}

// resume brings the unit into the state that the plan asks for and returns
// what it has to be told first.
func (u *unit) resume(r resumption) ([]Input, error) {
	if r.adopt != nil {
		proc, err := u.trades.Host.Adopt(*r.adopt)
		if err == nil {
			u.m.passed = r.record.Phase == services.Running
			u.take(proc, *r.adopt, true)
			u.trades.Logs.Attach(u.name, u.server().Logs)
			failpoint.At("adopt-taken")
			u.m.Phase, u.m.step = services.Running, alive
			if r.again {
				return []Input{{Kind: OrderRestart}}, nil
			}
			return []Input{{Kind: Resume}}, nil
		}
		if services.KindOf(err) != services.NotFound {
			return nil, err
		}
		u.log().Warn("a run could not be taken over", "run", r.adopt.ID, "err", err)
		r.lost = r.adopt
	}
	switch {
	case r.lost != nil:
		exit := u.trades.Host.Ended(*r.lost)
		u.exit, u.exiting, u.crashed = &exit, true, !u.server().Success.Clean(exit)
		u.m.Phase, u.m.step, u.m.end, u.m.again = services.Running, killing, u.classify(exit), r.again
		return []Input{{Kind: Gone}}, nil
	case r.fresh && u.settings.Load().times != nil && u.m.Want == services.Up:
		u.m.Phase = u.rest()
		return nil, nil
	case r.fresh:
		return []Input{{Kind: Resume}}, nil
	}
	u.m.Phase = r.record.Phase
	return nil, nil
}

// rest returns the phase of a task that waits for its schedule.
func (u *unit) rest() services.Phase {
	if u.exit != nil && !u.server().Success.Clean(*u.exit) {
		return services.Failed
	}
	return services.Exited
}

// Run supervises until ctx ends, and leaves the processes as they are then.
// Call it once.
func (o *Orchestrator) Run(ctx context.Context) error {
	o.life = ctx
	for _, run := range o.strays {
		o.lives.Go(func() { o.endStray(ctx, run) })
	}
	o.strays = nil
	for _, u := range o.roster.Load().units {
		o.begin(u, o.first[u])
	}
	o.first = nil
	close(o.begun)
	<-ctx.Done()
	o.reload.Lock() // a reload may be adding units
	defer o.reload.Unlock()
	for _, u := range o.roster.Load().units {
		u.wake()
	}
	o.lives.Wait()
	o.tasks.Wait()
	return nil
}

// begin gives a unit its life. Only Run, and who holds reload after it has
// begun, may call it.
func (o *Orchestrator) begin(u *unit, first []Input) {
	u.life, u.lives = o.life, &o.lives
	o.lives.Add(1)
	go func() { // ends when there is nothing to do for now
		u.begin(first)
		u.live()
	}()
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

// Changes grows after any status has changed but by its LastCheck, after
// Targets has got something else to say, and when what the monitor has reported
// is to be told again.
func (o *Orchestrator) Changes() uint64 { return o.rounds.changes.Load() }

// Looked takes from the monitor when it has last looked at all servers without
// a port: what it has reported of them still holds.
func (o *Orchestrator) Looked(at time.Time) { o.rounds.at.Store(at.UnixMilli()) }

// Targets appends what the monitor has to check.
func (o *Orchestrator) Targets(out []monitor.Target) []monitor.Target {
	for _, u := range o.roster.Load().units {
		if u.removed.Load() {
			continue
		}
		t := monitor.Target{Server: u.name, Port: u.server().Port, Seen: &u.checked}
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
	u := o.roster.Load().byName[r.Server]
	if u == nil {
		return
	}
	s := u.status.Load()
	pid := 0
	if r.Holder != nil {
		pid = r.Holder.PID
	}
	if s.Run == r.Run && u.sawPort(r.Healthy) && (s.PID != 0 || int(s.OrphanedPID) == pid) {
		u.checked.Store(r.At.UnixMilli())
		return
	}
	changed := r                          // r itself stays where it is, and leaves nothing for the garbage collector
	u.send(ctx, message{check: &changed}) //nolint:errcheck // a unit that has ended needs no results
}

// sawPort reports whether the last check of the port said the same.
func (u *unit) sawPort(healthy *bool) bool {
	code := u.port.Load()
	return code == 0 && healthy == nil || healthy != nil && (*healthy && code == 1 || !*healthy && code == 2)
}

// Watch yields events as Control demands.
func (o *Orchestrator) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	return o.trades.Bus.Watch(ctx, after)
}
