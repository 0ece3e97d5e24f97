package orchestrator

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"tend/services"
	"tend/services/monitor"
)

// killAgain is the pause between two rounds of SIGKILL to a tree that does not
// end: a process in uninterruptible sleep dies when its system call returns.
const killAgain = time.Second

// unit owns one server. Its goroutine alone touches the machine, the process
// and the timer; others put a message into the inbox, or read the last
// published status.
type unit struct {
	server services.Server
	digest string
	policy Policy
	hold   time.Duration // the longest that its dependents may take to stop; set before run
	orphan bool          // a survivor that is no longer configured
	trades Trades
	log    *slog.Logger

	needs, needed []*unit // what it depends on, what depends on it; set before run

	inbox chan message
	nudge chan struct{} // a neighbour's facts changed
	done  chan struct{} // closed when run returns

	facts   atomic.Uint32 // what the neighbours may know
	status  atomic.Pointer[services.Status]
	checked atomic.Int64 // when health was last checked, unix milliseconds
	removed atomic.Bool  // an orphan that is gone

	// Only run touches what follows.
	m       Machine
	timer   *time.Timer
	proc    Process
	run     services.Run
	ended   bool // the main process of proc has ended
	adopted bool
	healthy *bool
	ailing  string // why it is unhealthy
	holder  *services.Holder
	exit    *services.Exit
	lasted  time.Duration // of the run that exit belongs to
	problem string        // why the last start failed
	cause   string        // why it is down, in an operator's terms
	retry   bool          // the next spawn is the policy's doing
	restart int
	next    time.Time // of the next attempt
	until   time.Time // end of the present wait in a stop
	rev     uint64
	wanted  services.Want    // what is recorded while the manager ends; empty before
	events  []services.Event // made but not yet published
	exiting bool             // an exit was not told yet
}

// message is one thing said to a unit: either an order or the result of a
// check. reply, where it is set, gets the status right after.
type message struct {
	order *Input
	last  bool // the order is given because the manager ends
	check *monitor.Result
	reply chan<- services.Status
}

// The facts that neighbours act on.
const (
	factReady   uint32 = 1 << iota // running and, where it has a port, reachable
	factLeaving                    // alive, but on its way down
)

// send delivers a message unless the unit or the caller ends first.
func (u *unit) send(ctx context.Context, msg message) error {
	select {
	case u.inbox <- msg:
		return nil
	case <-u.done:
		return services.Errorf(services.Unavailable, "the manager is ending")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// loop lives until ctx ends, or until an orphan is gone. Processes are left as
// they are.
func (u *unit) loop(ctx context.Context, first []Input) {
	defer close(u.done)
	u.timer = time.NewTimer(time.Hour)
	u.timer.Stop()
	defer u.timer.Stop()
	for _, in := range first {
		u.observe()
		u.feed(in)
	}
	for !(u.orphan && u.proc == nil) {
		var exited, gone, changed <-chan struct{}
		if u.proc != nil {
			changed = u.proc.Changed()
			if u.ended {
				gone = u.proc.Gone()
			} else {
				exited = u.proc.Exited()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-exited:
			u.feed(u.endOfRun())
		case <-gone:
			u.feed(u.goneInput())
		case <-changed:
			u.run = runWith(u.proc, u.run.Digest)
			u.tell(services.EventChanged)
			u.publish()
		case <-u.timer.C:
			u.feed(Input{Kind: Deadline})
		case <-u.nudge:
			u.observe()
		case msg := <-u.inbox:
			u.hear(msg)
		}
	}
	u.trades.State.Forget(u.server.Name)
	u.trades.Bus.Publish(services.Event{Kind: services.EventRemoved, Server: u.server.Name,
		Message: u.server.Name + " was stopped and is not configured any more"})
}

func (u *unit) hear(msg message) {
	switch {
	case msg.order != nil:
		u.observe()
		if u.takes(msg) {
			u.ordered(*msg.order)
			if msg.last {
				u.cause = "stopped because the manager ended"
			}
			u.feed(*msg.order)
		}
	case msg.check != nil:
		u.judge(*msg.check)
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
		u.cause = "stopped by the operator"
		if in.Kind == OrderKill {
			u.cause = "killed by the operator"
		}
	}
}

// observe tells the machine what the neighbours have become.
func (u *unit) observe() {
	ready := true
	for _, n := range u.needs {
		ready = ready && n.facts.Load()&factReady != 0
	}
	held := false
	for _, n := range u.needed {
		held = held || n.facts.Load()&factLeaving != 0
	}
	if ready != u.m.ready {
		u.feed(Input{Kind: Ready, On: ready})
	} else if u.m.Phase == services.Waiting {
		u.tell(services.EventChanged) // it may wait for another one now
		u.publish()
	}
	if held != u.m.held {
		u.feed(Input{Kind: Held, On: held})
	}
}

// judge takes the result of a check.
func (u *unit) judge(r monitor.Result) {
	if u.proc != nil {
		if r.Run != u.run.ID || u.ended {
			return // of an earlier run
		}
		u.checked.Store(r.At.UnixMilli())
		u.healthy, u.ailing, u.holder = r.Healthy, r.Why, nil
		u.tell(services.EventHealth)
	} else {
		if r.Run != "" {
			return
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

// feed runs the machine until nothing follows from the input any more. What
// happened is published last: a crashed server is up again before anybody is
// told.
func (u *unit) feed(in Input) {
	queue := append(make([]Input, 0, 4), in)
	for len(queue) > 0 {
		in, queue = queue[0], queue[1:]
		var effects []Effect
		u.m, effects = u.m.Next(u.policy, in)
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
			u.tell(services.EventExited)
		case in.Kind == SpawnFailed || len(queue) == 0:
			u.tell(services.EventChanged)
		}
	}
	if u.orphan && u.proc == nil {
		u.removed.Store(true) // before anybody hears that it has ended
	}
	u.publish()
}
