package process

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tend/services"
)

// Process is one live run: its main process and the whole tree below it.
//
// The host's watcher says when the main process has ended; a goroutine then
// finds out how. Another one lives from the first Signal or Kill until the
// tree is gone. Everybody may call the methods.
type Process struct {
	host    *Host
	ours    bool        // we started it: what loses its parent comes back to us
	speaks  atomic.Bool // by sd_notify, or it may; of one of an earlier manager nobody knows until it does
	exited  chan struct{}
	changed chan struct{} // holds one token when Run has something new
	gone    chan struct{}
	news    bell

	mu       sync.Mutex // guards what follows
	run      services.Run
	leader   *handle // nil when it was dead already at adoption
	exit     services.Exit
	killed   bool // by SIGKILL, and not by us
	tracking services.Tracking
	tree     tree
}

func newProcess(h *Host, run services.Run, leader *handle, tracking services.Tracking, speaks bool) (*Process, error) {
	p := &Process{
		host: h, run: run, leader: leader, tracking: tracking,
		exited: make(chan struct{}), changed: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	p.speaks.Store(speaks)
	if leader == nil {
		p.exit = services.UnknownExit(time.Now())
		close(p.exited)
		return p, nil
	}
	p.ours = leader.child
	return p, p.watch(leader)
}

// watch has the main process watched.
func (p *Process) watch(leader *handle) error {
	return p.host.watcher.add(leader, func() { p.host.work.Go(func() { p.over(leader) }) })
}

// over finds out how the main process has ended, and follows it where it has
// become a daemon. One that has named another one in its place just ends.
func (p *Process) over(leader *handle) {
	program := ""
	if p.Run().Cgroup == "" {
		program = programOf(leader.PID) // before it is reaped
	}
	exit, ok := leader.await(p.host.ctx, p.host.witness)
	if !ok {
		return
	}
	if p.speaks.Load() || !p.ours && exit.Seen && exit.Code == 0 {
		p.host.hearOut()
	}
	if exit.Seen && exit.Code == 0 {
		p.claim(program)
	}
	if next := p.daemon(exit); next != nil {
		p.mu.Lock()
		if p.replaced(leader) {
			p.mu.Unlock()
			p.host.closeHandle(next)
			return
		}
		p.leader, p.run.Leader, p.run.Forks = next, next.Identity, false
		p.mu.Unlock()
		p.host.estrange(p.run.ID)
		p.host.closeHandle(leader)
		if p.watch(next) == nil {
			p.tellChanged()
			return
		}
		exit, leader = services.UnknownExit(time.Now()), next
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.replaced(leader) {
		return
	}
	p.killed = exit.Signal == syscall.SIGKILL && !p.tree.killing
	p.exit = exit
	close(p.exited)
	p.news.tell()
}

// claim writes down who is alive when a main process has ended well, its daemons
// among them: soon nothing else may say that they belong to the run. What was
// sent to the tree before is theirs, too.
func (p *Process) claim(program string) {
	run := p.Run()
	if run.Cgroup != "" || p.empty(run) {
		return
	}
	members, _ := p.host.members(run)
	strays := p.host.strays(run, program, members)
	p.mu.Lock()
	p.run.Members = append(members, strays...)
	if p.tree.draining && len(strays) > 0 {
		p.tree.asked = append(p.tree.asked, p.tree.sent...)
	}
	p.mu.Unlock()
	p.tellChanged()
}

// daemon returns the process that goes on for a main process that has ended
// well: one that made a session of its own, as daemons do.
func (p *Process) daemon(exit services.Exit) *handle {
	if !exit.Seen || exit.Code != 0 || p.host.ctx.Err() != nil {
		return nil
	}
	p.mu.Lock()
	run, busy := p.run, p.tree.draining
	p.mu.Unlock()
	if busy || p.empty(run) {
		return nil
	}
	best, others := p.host.sessionMaker(run)
	for _, pause := range daemonPauses { // it forks, and calls setsid a moment later
		if best.PID != 0 || !others {
			break
		}
		select {
		case <-time.After(pause):
		case <-p.host.ctx.Done():
			return nil
		}
		best, others = p.host.sessionMaker(run)
	}
	if best.PID == 0 {
		return nil
	}
	h, err := p.host.open(best.Identity)
	if err != nil {
		return nil
	}
	return h
}

// daemonPauses is how long a process whose parent has ended well may take to
// make a session of its own.
var daemonPauses = []time.Duration{time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond}

// sessionMaker returns the oldest member of a run that left the session of its
// main process for one of its own, and whether any member is alive.
func (h *Host) sessionMaker(run services.Run) (best stat, others bool) {
	members, _ := h.members(run)
	for _, id := range members {
		s, err := readStat(id.PID)
		if err != nil || s.dead() || s.Start != id.Start {
			continue
		}
		others = true
		if s.session == run.Leader.PID || s.session != s.PID && s.parent != 1 && s.parent != h.pid {
			continue
		}
		if best.PID == 0 || s.Start < best.Start || s.Start == best.Start && s.PID < best.PID {
			best = s
		}
	}
	return best, others
}

func (p *Process) tellChanged() {
	p.host.changes.Add(1)
	select {
	case p.changed <- struct{}{}:
	default: // a token is waiting already
	}
	p.news.tell()
}

// OnNews has tell called after Exited, Gone or Changed has got something to
// say. It must not block, and may be told of nothing.
func (p *Process) OnNews(tell func()) { p.news.Store(&tell) }

// Run returns what a later manager needs in order to find the processes again.
func (p *Process) Run() services.Run {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.run
}

// Tracking says how surely the processes of the tree are known.
func (p *Process) Tracking() services.Tracking {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tracking
}

// Exited is closed when the main process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Exit says how the main process ended; it is meaningful after Exited.
func (p *Process) Exit() services.Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

// OutOfMemory reports whether the kernel has ended the main process for lack of
// memory. It takes its time, so it is asked once the server is up again.
func (p *Process) OutOfMemory() bool {
	p.mu.Lock()
	killed, cgroup := p.killed, p.run.Cgroup
	p.mu.Unlock()
	return killed && p.host.outOfMemory(cgroup)
}

// Changed yields a token when Run or Tracking returns something new.
func (p *Process) Changed() <-chan struct{} { return p.changed }
