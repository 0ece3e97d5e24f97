package monitor

import (
	"fmt"
	"slices"
	"time"
)

const (
	// slots is into how many steps an interval is divided at the most: fine
	// enough that no burst is felt (a thousand ports are 167 checks, 5 to 8 ms of
	// one core, twice a second), coarse enough that they find in the processor's
	// caches what the ones before have left there: a thousand connections in 15
	// steps take half as much again as in one row, in 30 three quarters, in 6 a
	// seventh.
	slots = 6
	// maxOpen bounds the connections that are open at the same time, and with
	// them the file descriptors. Where so many servers hang, the interval
	// becomes longer.
	maxOpen = 512
	// glance is how often open connections are looked at. What is open on a
	// local port is a request that was dropped because the server does not
	// accept, and the kernel repeats it after a second: there is no hurry.
	glance = 100 * time.Millisecond
)

// watch is the state of Run. All times are since its beginning.
type watch struct {
	Options
	epoch   time.Time
	timeout time.Duration

	targets []Target // as they were when they were asked for last
	changes uint64   // what Changes said then
	news    bool     // they were not reported since

	began time.Duration  // of the present interval
	queue []place        // to be looked at in it: those with a port
	index map[string]int // where a server is in the queue
	done  int            // how many of the queue were looked at

	open   map[string]*check // connections under way, by server
	glance time.Duration     // when they are looked at
	starts map[string]*start // servers being started, until their port answers
	ports  ports             // who holds the ports of servers that are down

	halted map[string]bool // runs without a port that were found halted
	asked  []string        // runs that are looked at for that: memory for each interval
	round  int             // counts the intervals

	yes, no bool // what results point to
}

// place is a server with a port in the queue. All that a check needs is here:
// a thousand of them are looked at by a processor that has done something else
// meanwhile, and what it has to look for elsewhere takes longer than the work.
type place struct {
	Target
	listener *listener // on its port
	backlog  backlog
	well     bool // the last look said so, and that was reported: it holds as long as nothing changes
}

// check is a connection under way.
type check struct {
	target Target
	conn   conn
	end    time.Duration
}

func newWatch(o Options) *watch {
	return &watch{
		Options: o, epoch: time.Now(), timeout: min(o.Interval, longest),
		began:  -o.Interval, // the first one is due
		open:   make(map[string]*check),
		starts: make(map[string]*start),
		halted: make(map[string]bool),
		ports:  ports{find: o.Holder, log: o.Log, listening: make(map[int]*listener), known: make(map[int]held)},
		yes:    true,
	}
}

func (w *watch) close() {
	for _, c := range w.open {
		c.conn.close()
	}
}

// look does all that is due and returns the time until there is more to do.
func (w *watch) look() time.Duration {
	now := time.Since(w.epoch)
	if len(w.open) > 0 && now >= w.glance {
		w.lookAtOpen(now)
	}
	w.lookAtStarts(now)
	if w.done == len(w.queue) && now >= w.began+w.Interval {
		w.begin()
	}
	w.lookAtQueue(now)

	next := w.began + w.Interval
	switch {
	case w.done < len(w.queue) && len(w.open) < maxOpen:
		next = w.due()
	case w.done < len(w.queue):
		next = w.glance // when there may be room
	}
	if len(w.open) > 0 {
		next = min(next, w.glance)
	}
	for _, s := range w.starts {
		next = min(next, s.next)
	}
	return max(0, next-time.Since(w.epoch))
}

// begin begins an interval: what needs no system call is reported at once,
// the rest is queued.
func (w *watch) begin() {
	w.list()
	w.began = max(w.began+w.Interval, time.Since(w.epoch)-w.Interval/slots) // what a stall took is not made up for
	at := time.Now()
	halted := len(w.halted)
	w.lookForHalted()
	if w.news || halted+len(w.halted) > 0 {
		w.sort(at)
	} else {
		w.Looked(at)
	}
	w.news = false
	w.ports.list()
	w.lookAtBacklogs()
	w.done = 0
}

// sort reports what needs no system call and queues the rest.
func (w *watch) sort(at time.Time) {
	queue, index, listening := w.queue, w.index, w.ports.listening
	w.queue, w.index, w.ports.listening = make([]place, 0, len(queue)), make(map[string]int, len(index)), make(map[int]*listener, len(listening))
	for _, t := range w.targets {
		r := Result{Server: t.Server, Run: t.Run, At: at}
		switch {
		case t.Port != 0:
			p := place{Target: t, listener: w.ports.at(t.Port, listening)}
			if i, known := index[t.Server]; known {
				p.backlog = queue[i].backlog
			}
			w.index[t.Server] = len(w.queue)
			w.queue = append(w.queue, p)
			continue
		case t.Alive && w.halted[t.Run]:
			r.Healthy, r.Why = &w.no, halt
		case t.Alive:
			r.Healthy = &w.yes
		}
		w.Report(r)
	}
}

// list asks for the targets, unless they are the same.
func (w *watch) list() {
	if w.Changes != nil {
		now := w.Changes() // before: what changes meanwhile is asked for again
		if now == w.changes && w.targets != nil {
			return
		}
		w.changes = now
	}
	w.targets, w.news = w.Targets(w.targets[:0]), true
}

// isAlive reports whether a server is alive by now.
func (w *watch) isAlive(server string) bool {
	w.list()
	return slices.ContainsFunc(w.targets, func(t Target) bool { return t.Server == server && t.Alive })
}

// due returns when the next target of the queue is looked at.
func (w *watch) due() time.Duration {
	steps := min(len(w.queue), slots)
	return w.began + w.Interval*time.Duration(w.done*steps/len(w.queue))/time.Duration(steps)
}

// lookAtQueue looks at those whose time has come.
func (w *watch) lookAtQueue(now time.Duration) {
	for w.done < len(w.queue) && len(w.open) < maxOpen && w.due() <= now {
		p := &w.queue[w.done]
		w.done++
		switch {
		case !p.Alive && p.listener.isNew() && w.isAlive(p.Server):
			// It was started since, and is the one who listens: to find that out
			// would take a look at every process of the machine.
		case !p.Alive:
			holder, why := w.ports.holder(p.Port, p.listener.mark, now)
			w.Report(Result{Server: p.Server, Run: p.Run, At: time.Now(), Holder: holder, Why: why})
		case w.starts[p.Server] == nil && w.open[p.Server] == nil:
			known := p.well && p.Seen != nil && p.backlog.why == "" && w.same()
			p.well = w.try(p.Target, known, now)
		}
	}
}

// same reports whether nothing has changed since the queue was made.
func (w *watch) same() bool { return w.Changes != nil && !w.news && w.Changes() == w.changes }

// try connects to the port of a live server and returns whether it was
// reported that it is well. Known says that this would be nothing new.
func (w *watch) try(t Target, known bool, now time.Duration) (well bool) {
	c := conn{port: t.Port}
	switch state, err := c.dial(); {
	case state == reached && known:
		t.Seen.Store(time.Now().UnixMilli())
		return true
	case state != pending:
		return w.conclude(t, now, state, err)
	}
	if len(w.open) == 0 {
		w.glance = now + min(glance, w.timeout)
	}
	w.open[t.Server] = &check{target: t, conn: c, end: now + w.timeout}
	return false
}

// lookAtOpen looks at the connections under way.
func (w *watch) lookAtOpen(now time.Duration) {
	for name, c := range w.open {
		state, err := c.conn.poll()
		if state == pending && now < c.end {
			continue
		}
		c.conn.close()
		delete(w.open, name)
		w.conclude(c.target, now, state, err)
	}
	w.glance = now + min(glance, w.timeout)
}

// conclude reports the outcome of a check, and returns whether it says that the
// server is well.
func (w *watch) conclude(t Target, now time.Duration, state state, err error) (well bool) {
	r := Result{Server: t.Server, Run: t.Run, At: time.Now()}
	switch state {
	case reached:
		if r.Healthy, r.Why = &w.yes, w.hung(t); r.Why != "" {
			r.Healthy = &w.no
		}
	case refused:
		r.Healthy, r.Why = &w.no, fmt.Sprintf("nothing listens on port %d", t.Port)
	case pending:
		r.Healthy, r.Why = &w.no, fmt.Sprintf("port %d does not answer within %v", t.Port, w.timeout)
	case broken:
		r.Why = fmt.Sprintf("port %d cannot be checked: %v", t.Port, err)
	}
	if s := w.starts[t.Server]; s != nil && !w.started(s, t, now, state) {
		return false
	}
	w.Report(r)
	return r.Healthy == &w.yes
}
