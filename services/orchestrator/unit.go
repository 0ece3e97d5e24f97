package orchestrator

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tend/services"
	"tend/services/monitor"
)

// killAgain is the pause between two rounds of SIGKILL to a tree that does not
// end: a process in uninterruptible sleep dies when its system call returns.
const killAgain = time.Second

// unit owns one server. Its live alone touches the machine, the process and the
// timers; others put a message into the inbox, or read the last published
// status.
type unit struct {
	name   string
	trades Trades
	rounds *rounds

	inbox  chan *message
	nudged atomic.Bool   // a neighbour's facts changed, or the links
	wakes  atomic.Uint64 // calls of wake since it slept
	done   chan struct{} // closed when it has ended

	settings atomic.Pointer[settings] // stored by live alone, once that has begun
	links    atomic.Pointer[links]    // stored by the orchestrator alone
	facts    atomic.Uint64            // what the neighbours may know
	status   atomic.Pointer[services.Status]
	port     atomic.Int32 // what the last check of the port said: 0 nothing, 1 well, 2 not
	checked  atomic.Int64 // when health was last checked, unix milliseconds; the monitor stores, too
	removed  atomic.Bool  // an orphan that is gone

	// Only live touches what follows.
	life      context.Context // of the orchestrator; set before the first live, as lives is
	lives     *sync.WaitGroup // to be told of the end
	m         Machine
	timer     alarm
	clock     alarm // of the schedule
	proc      Process
	fetch     *fetch // of the secrets for the next spawn; nil for none
	run       services.Run
	ended     bool // the main process of proc has ended
	adopted   bool
	limits    string // which are in force
	memory    services.MemoryKind
	healthy   *bool
	ailing    string // why it is unhealthy
	holder    *services.Holder
	exit      *services.Exit
	lasted    time.Duration // of the run that exit belongs to
	problem   string        // why the last start failed
	cause     string        // why it is down, in an operator's terms
	verdict   string        // why the present run is ended by a check or a loss, or the last one was
	by        string        // who caused what is happening
	retry     bool          // the next spawn is the policy's doing
	restart   int
	daemon    string    // digest of the command that has become a daemon
	next      time.Time // of the next attempt
	fire      time.Time // of the next run by the schedule
	until     time.Time // end of the present wait in a stop
	rev       uint64
	wanted    services.Want    // what is recorded while the manager ends; empty before
	events    []services.Event // made but not yet published
	exiting   bool             // an exit was not told yet
	dead      Process          // whose exit that is, where more can be found out
	crashed   bool             // and it was a crash
	relied    map[*unit]uint64 // the runs of dependencies that the present run relies on
	turns     uint64           // runs begun or ended
	checks    map[monitor.Source]checked
	unready   string // why the present run is not ready yet
	notified  string // what the present run says of itself
	dog       alarm  // of the watchdog
	patience  int    // how often it was given a moment more
	overslept bool   // the present run was given the time to become ready once more
	queued    bool   // the schedule wants another run after this one
}

func (u *unit) set(given *settings) {
	u.settings.Store(given)
	if len(given.server.Thresholds) > 0 {
		u.rounds.judged.Store(true)
	}
}

func (u *unit) server() *services.Server { return u.settings.Load().server }
func (u *unit) log() *slog.Logger        { return u.trades.Log.With("server", u.name) }
func (u *unit) orphan() bool             { return u.settings.Load().orphan }
func (u *unit) policy() Policy           { return u.settings.Load().policy }

// message is one thing said to a unit: either an order or the result of a
// check. reply, where it is set, gets the status right after.
type message struct {
	order    *Input
	by       string // who gives it
	last     bool   // it is given because the manager ends
	check    *monitor.Result
	settings *settings
	finding  *Finding
	verdict  *monitor.Verdict
	notice   *Notice
	reply    chan<- services.Status
}

// send delivers a message unless the unit or the caller ends first.
func (u *unit) send(ctx context.Context, msg message) error {
	select {
	case u.inbox <- &msg:
		u.wake()
		return nil
	case <-u.done:
		return services.Errorf(services.Unavailable, "the manager is ending")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sendAndWait sends a message and waits until it was heard, or the unit ends.
func (u *unit) sendAndWait(ctx context.Context, msg message) error {
	reply := make(chan services.Status, 1)
	msg.reply = reply
	if err := u.send(ctx, msg); err != nil {
		return err
	}
	select {
	case <-reply:
	case <-u.done:
	}
	return nil
}

// remove forgets an orphan that is gone.
func (u *unit) remove() {
	u.removed.Store(true)
	u.rounds.changes.Add(1)
	u.trades.State.Forget(u.name)
	u.trades.Bus.Publish(services.Event{Kind: services.EventRemoved, Server: u.name, By: u.by,
		Message: u.name + " is down and not configured any more"})
}

// begin is the first thing that a unit does. live has to follow.
func (u *unit) begin(first []Input) {
	if u.proc != nil && u.m.passed {
		u.feedDog()
	}
	u.plan()
	u.publish()
	for _, in := range first {
		u.observe()
		u.feed(in)
	}
}

func (u *unit) hear(msg message) {
	switch {
	case msg.order != nil:
		u.observe()
		if u.takes(msg) {
			u.by = msg.by
			u.ordered(*msg.order)
			if msg.last {
				u.cause = "stopped because the manager ended"
			}
			u.feed(*msg.order)
			u.plan()
		}
	case msg.check != nil:
		u.judge(*msg.check)
	case msg.settings != nil:
		u.configure(msg.settings, msg.by)
	case msg.finding != nil:
		u.found(*msg.finding)
	case msg.verdict != nil:
		u.weigh(*msg.verdict)
	case msg.notice != nil:
		u.hearNotice(*msg.notice)
	}
	if msg.reply != nil {
		msg.reply <- u.current()
	}
}

// takes says whether an order is to be carried out, and notes that the manager
// ends. A server that has come to its end by itself then stays as it is, for
// the next manager to see, and nothing starts any more.
func (u *unit) takes(msg message) bool {
	switch {
	case msg.last:
		if u.wanted == "" {
			u.wanted = u.m.Want
		}
		return !u.m.over()
	case u.wanted == "":
		return true
	case msg.order.Kind == OrderStop, msg.order.Kind == OrderKill:
		u.wanted = services.Down
		return true
	}
	return false
}

// ordered notes what an order of a person changes beside the machine.
func (u *unit) ordered(in Input) {
	u.retry = false
	switch in.Kind {
	case OrderStart:
		if u.proc == nil {
			u.restart = 0
		}
	case OrderStop, OrderKill:
		u.fetch.giveUp()
		u.cause = "stopped by the operator"
		if in.Kind == OrderKill {
			u.cause = "killed by the operator"
		}
	}
}

// judge takes the result of a check.
func (u *unit) judge(r monitor.Result) {
	if u.proc != nil {
		if r.Run != u.run.ID || u.ended {
			return // of an earlier run: what has come since changes the status, and the monitor reports again
		}
		u.checked.Store(r.At.UnixMilli())
		u.seePort(r.Healthy)
		u.unasked()
		if delete(u.checks, monitor.FromPort); r.Healthy != nil {
			u.checks[monitor.FromPort] = checked{*r.Healthy, r.Why}
		}
		u.holder = nil
		u.assess()
		u.tell(services.EventHealth)
	} else {
		if r.Run != "" {
			return // likewise
		}
		u.checked.Store(r.At.UnixMilli())
		u.holder = nil
		if r.Holder != nil && !u.trades.Ports.Owns(r.Holder.PID) {
			u.holder = r.Holder
		}
		u.tell(services.EventOrphan)
	}
	u.publish()
}

// seePort notes what the last check of the port said, for Report.
func (u *unit) seePort(healthy *bool) {
	switch {
	case healthy == nil:
		u.port.Store(0)
	case *healthy:
		u.port.Store(1)
	default:
		u.port.Store(2)
	}
}

// feed runs the machine until nothing follows from the input any more. What
// happened is published last: a crashed server is up again before anybody is
// told.
func (u *unit) feed(in Input) {
	queue := append(make([]Input, 0, 4), in)
	for len(queue) > 0 {
		in, queue = queue[0], queue[1:]
		var effects []Effect
		u.m, effects = u.m.Next(u.policy(), in)
		for _, e := range effects {
			if follow, ok := u.do(e); ok {
				queue = append(queue, follow)
			}
		}
		switch {
		case in.Kind == Spawned:
			u.tell(services.EventStarted)
		case u.exiting && (in.Kind == Gone || len(queue) == 0):
			u.exiting = false
			u.explainExit()
			u.tell(services.EventExited)
			u.by = cmp.Or(u.by, "policy") // causes whatever follows
		case in.Kind == SpawnFailed || len(queue) == 0:
			u.tell(services.EventChanged)
		}
	}
	if u.orphan() && u.proc == nil {
		u.removed.Store(true) // before anybody hears that it has ended
	}
	u.publish()
	if u.queued && u.m.step == idle && u.m.Want == services.Up {
		u.queued = false
		u.feed(Input{Kind: Fired})
	}
}
