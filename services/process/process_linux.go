package process

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Process is one live run: its main process and the whole tree below it.
//
// One goroutine waits for the main process; a second one lives from the first
// Signal or Kill until the tree is gone. Everybody may call the methods.
type Process struct {
	host    *Host
	exited  chan struct{}
	changed chan struct{} // holds one token when Run has something new
	gone    chan struct{}
	ended   time.Time // set before exited is closed

	mu       sync.Mutex // guards what follows
	run      services.Run
	leader   *handle // nil when it was dead already at adoption
	exit     services.Exit
	tracking services.Tracking
	draining bool // the goroutine that waits for the tree runs
	buried   bool // gone is closed
	killing  bool
	left     []int // pids seen alive last
}

func newProcess(h *Host, run services.Run, leader *handle, tracking services.Tracking) *Process {
	p := &Process{
		host: h, run: run, leader: leader, tracking: tracking,
		exited: make(chan struct{}), changed: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	if leader == nil {
		p.exit = services.UnknownExit(time.Now())
		close(p.exited)
		return p
	}
	h.work.Go(p.watch)
	return p
}

// watch waits for the main process, and follows it when it becomes a daemon.
func (p *Process) watch() {
	for {
		leader := p.leader
		exit := leader.await(!p.host.without.ExitInfo, p.host.reaped)
		if p.host.closing() {
			return
		}
		next := p.daemon(exit)
		p.mu.Lock()
		if next != nil {
			p.leader, p.run.Leader = next, next.Identity
			p.mu.Unlock()
			leader.close()
			p.tellChanged()
			continue
		}
		p.exit = exit
		p.mu.Unlock()
		close(p.exited)
		return
	}
}

// daemon returns the process that goes on for a main process that has ended
// well: one that made a session of its own, as daemons do.
func (p *Process) daemon(exit services.Exit) *handle {
	if !exit.Seen || exit.Code != 0 {
		return nil
	}
	p.mu.Lock()
	run, busy := p.run, p.draining
	p.mu.Unlock()
	if busy || run.Cgroup != "" && !populated(run.Cgroup) {
		return nil
	}
	best, others := p.sessionMaker(run)
	for _, pause := range daemonPauses { // it forks, and calls setsid a moment later
		if best.PID != 0 || !others {
			break
		}
		select {
		case <-time.After(pause):
		case <-p.host.ctx.Done():
			return nil
		}
		best, others = p.sessionMaker(run)
	}
	if best.PID == 0 {
		return nil
	}
	h, err := openHandle(best.Identity)
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
func (p *Process) sessionMaker(run services.Run) (best stat, others bool) {
	for _, id := range p.host.members(run, true) {
		s, ok := readStat(id.PID)
		if !ok || s.dead() || s.Start != id.Start {
			continue
		}
		others = true
		if s.session == run.Leader.PID || s.session != s.PID && s.parent != 1 && s.parent != p.host.pid {
			continue
		}
		if best.PID == 0 || s.Start < best.Start || s.Start == best.Start && s.PID < best.PID {
			best = s
		}
	}
	return best, others
}

func (p *Process) tellChanged() {
	select {
	case p.changed <- struct{}{}:
	default: // a token is waiting already
	}
}

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

// Changed yields a token when Run or Tracking returns something new.
func (p *Process) Changed() <-chan struct{} { return p.changed }

// Gone is closed when nothing but zombies is left of the tree. It is watched
// from the first Signal or Kill on.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Survivors returns the pids that were alive at the last look after a Kill.
func (p *Process) Survivors() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]int(nil), p.left...)
}

// Signal sends to the main process, or with ToGroup once to its process group
// and once to every member of the tree that has left the group.
func (p *Process) Signal(sig syscall.Signal, to services.SignalTarget) error {
	defer p.drain()
	p.mu.Lock()
	leader, run := p.leader, p.run
	p.mu.Unlock()
	if leader == nil {
		return nil
	}
	if to == services.ToMain {
		return ignoreGone(leader.signal(sig, false))
	}
	var escaped []services.Identity
	for _, id := range p.host.members(run, false) {
		if s, ok := readStat(id.PID); ok && s.Start == id.Start && !s.dead() && s.group != leader.PID {
			escaped = append(escaped, id)
		}
	}
	err := ignoreGone(leader.signal(sig, true))
	for _, id := range escaped {
		err = errors.Join(err, signalOnce(id, sig))
	}
	return err
}

// signalOnce sends to exactly this process, if it is alive.
func signalOnce(id services.Identity, sig syscall.Signal) error {
	h, err := openHandle(id)
	if err != nil {
		return nil // gone meanwhile
	}
	defer h.close()
	return ignoreGone(h.signal(sig, false))
}

func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// Kill sends SIGKILL to everything that is left of the tree, again and again
// until it is gone. When nothing is left, Gone is closed on return.
func (p *Process) Kill() {
	p.mu.Lock()
	p.killing = true
	over := p.buried || p.leaderDead() && !p.draining && p.run.Cgroup != "" && !populated(p.run.Cgroup)
	if over {
		p.bury()
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	p.killOnce()
	p.drain()
}

// leaderDead needs the lock.
func (p *Process) leaderDead() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// bury needs the lock.
func (p *Process) bury() {
	if p.buried {
		return
	}
	p.buried, p.left = true, nil
	if p.leader != nil {
		p.leader.close()
	}
	close(p.gone)
	p.host.forget(p)
}

// killOnce sends one round of SIGKILL and returns who was alive.
func (p *Process) killOnce() []services.Identity {
	run := p.Run()
	if run.Cgroup != "" && !nested(run.Cgroup, p.host.instance) && killCgroup(run.Cgroup) {
		return p.host.members(run, false)
	}
	members := p.host.members(run, false)
	for _, id := range members {
		signalOnce(id, syscall.SIGKILL) //nolint:errcheck // the next round tells
	}
	return members
}

// drain starts the goroutine that waits until the tree is gone, once.
func (p *Process) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining || p.buried {
		return
	}
	p.draining = true
	p.host.work.Go(p.awaitTree)
}

// awaitTree waits for the main process, then for each member that is alive,
// and looks again until a look finds nobody.
func (p *Process) awaitTree() {
	select {
	case <-p.exited:
	case <-p.host.ctx.Done():
		return
	}
	for p.host.ctx.Err() == nil {
		members := p.host.members(p.Run(), false)
		p.mu.Lock()
		p.left = pidsOf(members)
		killing := p.killing
		if len(members) == 0 {
			p.bury()
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		if killing {
			p.killOnce()
		}
		p.host.awaitAll(members, killing)
	}
}

func pidsOf(ids []services.Identity) []int {
	pids := make([]int, len(ids))
	for i, id := range ids {
		pids[i] = id.PID
	}
	return pids
}

// killPause bounds the wait for members that were sent SIGKILL: one that forked
// meanwhile has left a child to look for.
const killPause = 50 * time.Millisecond

// awaitAll waits until every one of these processes has ended, or for a while
// when they were killed.
func (h *Host) awaitAll(ids []services.Identity, killed bool) {
	ctx := h.ctx
	if killed {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, killPause)
		defer cancel()
	}
	for _, id := range ids {
		member, err := openHandle(id)
		if err != nil {
			continue
		}
		member.awaitEnd(ctx)
		member.close()
	}
}

// awaitEnd blocks until the process has ended or ctx has.
func (h *handle) awaitEnd(ctx context.Context) {
	raw, err := h.pidfd.SyscallConn()
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { h.pidfd.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	raw.Read(func(fd uintptr) bool { return ended(int(fd)) })
}
