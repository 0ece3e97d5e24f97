package process

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// tree is what is known about the end of a whole run. The process's lock
// guards it.
type tree struct {
	draining bool // a goroutine waits until the tree is gone
	buried   bool // gone is closed
	killing  bool
	rounds   int                // of SIGKILL so far
	asked    []syscall.Signal   // to be sent by that goroutine
	sent     []syscall.Signal   // by that goroutine
	look     context.CancelFunc // makes it look again
	left     []int              // pids seen alive last
}

// Signal sends to the main process, or with ToGroup once to its process group
// and once to every member of the tree that has left the group. Where it takes
// a look at all processes to find those, that is done in the background.
func (p *Process) Signal(sig syscall.Signal, to services.SignalTarget) error {
	p.mu.Lock()
	leader, run := p.leader, p.run
	later := leader != nil && to == services.ToGroup && run.Cgroup == ""
	if later {
		p.tree.asked = append(p.tree.asked, sig)
	}
	p.mu.Unlock()
	defer p.drain()
	switch {
	case leader == nil || later:
		return nil
	case to == services.ToMain:
		return p.unlessFollowed(leader, awaken(leader, sig, false), sig, to)
	}
	members, _ := p.host.members(run)
	return p.unlessFollowed(leader, signalTree(leader, members, sig), sig, to)
}

// unlessFollowed sends again where the main process that was sent to had ended
// and another one, its daemon, has taken its place meanwhile.
func (p *Process) unlessFollowed(leader *handle, err error, sig syscall.Signal, to services.SignalTarget) error {
	if !errors.Is(err, os.ErrClosed) {
		return err
	}
	p.mu.Lock()
	followed := p.leader != leader
	p.mu.Unlock()
	if !followed {
		return nil // it is closed because the run is over
	}
	return p.Signal(sig, to)
}

// signalTree sends to the group of the main process and to those that left it.
func signalTree(leader *handle, members []services.Identity, sig syscall.Signal) error {
	within := syscall.Getpgrp() == leader.PID // we were started by one of our servers
	var apart []services.Identity
	for _, id := range members {
		if s, err := readStat(id.PID); err == nil && s.Start == id.Start && !s.dead() && (within || s.group != leader.PID) {
			apart = append(apart, id)
		}
	}
	var err error
	if !within {
		err = awaken(leader, sig, true)
	}
	for _, id := range apart {
		err = errors.Join(err, signalOnce(id, sig))
	}
	return err
}

// signalOnce sends to exactly this process, if it is alive.
func signalOnce(id services.Identity, sig syscall.Signal) error {
	h, err := openHandle(id)
	switch {
	case noRoom(err):
		return err
	case err != nil:
		return nil // gone meanwhile
	}
	defer h.close()
	return awaken(h, sig, false)
}

// awaken sends a signal, and after it the one that lets a process take it that
// is halted.
func awaken(h *handle, sig syscall.Signal, group bool) error {
	err := h.signal(sig, group)
	if err == nil && sig != syscall.SIGKILL {
		err = h.signal(syscall.SIGCONT, group)
	}
	return ignoreGone(err)
}

func ignoreGone(err error) error {
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// Gone is closed when nothing but zombies is left of the tree. It is watched
// from the first Signal or Kill on.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Survivors returns the pids that were alive at the last look.
func (p *Process) Survivors() []int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.tree.left)
}

// Kill sends SIGKILL to everything that is left of the tree, again and again
// until it is gone. Where it can be known at once that nothing is left, Gone is
// closed on return.
func (p *Process) Kill() {
	p.mu.Lock()
	p.tree.killing = true
	run, over := p.run, p.leaderDead() && !p.tree.draining
	p.mu.Unlock()
	if over && p.empty(run) {
		p.mu.Lock()
		p.bury()
		p.mu.Unlock()
		return
	}
	if run.Cgroup != "" {
		p.killOnce(run)
	}
	p.drain()
}

// empty reports, where that can be known at once, that nothing is left of a
// run whose main process has ended.
func (p *Process) empty(run services.Run) bool {
	if run.Cgroup != "" {
		return !populated(run.Cgroup)
	}
	return p.ours && p.host.nobodyLeft(run)
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
	if p.tree.buried {
		return
	}
	p.tree.buried, p.tree.left = true, nil
	if p.leader != nil {
		p.host.closeHandle(p.leader)
	}
	close(p.gone)
	p.host.forget(p)
	p.news.tell()
}

// killOnce sends one round of SIGKILL.
func (p *Process) killOnce(run services.Run) {
	if run.Cgroup != "" && !p.host.shares(run.Cgroup) && killCgroup(run.Cgroup) {
		return
	}
	p.mu.Lock()
	p.tree.rounds++
	again, leader := p.tree.rounds > 1, p.leader
	p.mu.Unlock()
	if leader != nil && syscall.Getpgrp() != leader.PID {
		leader.signal(syscall.SIGKILL, true) //nolint:errcheck // at once, so that nobody of the group forks meanwhile
	}
	if again {
		p.freeze(run)
	}
	members, _ := p.host.members(run)
	for _, id := range members {
		signalOnce(id, syscall.SIGKILL) //nolint:errcheck // the next round tells
	}
}

// mostLooks bounds how often a tree is looked at that forks faster than it can
// be halted.
const mostLooks = 20

// freeze halts all of a tree that outlived a round of SIGKILL. Of a fork bomb
// each one that is killed makes room for another; those that are halted do not.
func (p *Process) freeze(run services.Run) {
	halted := map[services.Identity]bool{}
	for range mostLooks {
		members, _ := p.host.members(run)
		before := len(halted)
		for _, id := range members {
			if !halted[id] {
				signalOnce(id, syscall.SIGSTOP) //nolint:errcheck // the next round tells
				halted[id] = true
			}
		}
		if len(halted) == before {
			return
		}
	}
}

// drain has a goroutine wait until the tree is gone; one that does so already
// looks again.
func (p *Process) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.tree.buried:
	case p.tree.draining:
		if p.tree.look != nil {
			p.tree.look()
		}
	default:
		p.tree.draining = true
		p.host.work.Go(p.awaitTree)
	}
}

// awaitTree looks who is alive, sends them what was ordered, and waits for
// them to end, until a look finds nobody.
func (p *Process) awaitTree() {
	for p.host.ctx.Err() == nil {
		ctx, look := context.WithCancel(p.host.ctx)
		p.mu.Lock()
		p.tree.look = look
		p.mu.Unlock()
		over := p.lookOnce(ctx)
		look()
		if over {
			return
		}
	}
}

// lookOnce reports whether nobody is left. Otherwise it returns when whoever
// was seen has ended, or ctx has.
func (p *Process) lookOnce(ctx context.Context) (over bool) {
	p.mu.Lock()
	run, asked, killing, leader := p.run, p.tree.asked, p.tree.killing, p.leader
	ended := p.leaderDead() // before the look: what it leaves is written down first
	p.tree.asked, p.tree.sent = nil, append(p.tree.sent, asked...)
	p.mu.Unlock()
	members, sure := p.host.members(run)
	p.mu.Lock()
	p.tree.left = pidsOf(members)
	over = len(members) == 0 && sure && ended
	if over {
		p.bury()
	}
	p.mu.Unlock()
	if over {
		return true
	}
	for _, sig := range asked {
		if err := signalTree(leader, members, sig); err != nil {
			p.host.log.Warn("stop signal", "server", run.Server, "err", err)
		}
	}
	if killing {
		p.killOnce(run)
	}
	if killing || !sure {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lookAgain)
		defer cancel()
	}
	p.awaitSome(ctx, members)
	if !sure {
		<-ctx.Done()
	}
	return false
}

func pidsOf(ids []services.Identity) []int {
	pids := make([]int, len(ids))
	for i, id := range ids {
		pids[i] = id.PID
	}
	return pids
}

// lookAgain bounds the wait for members that were sent SIGKILL: one that forked
// meanwhile has left a child to look for.
const lookAgain = 50 * time.Millisecond

// awaitSome waits until these processes and the main one have ended.
func (p *Process) awaitSome(ctx context.Context, ids []services.Identity) {
	for _, id := range ids {
		member, err := openHandle(id)
		if noRoom(err) { // look again later
			select {
			case <-time.After(lookAgain):
			case <-ctx.Done():
			}
		}
		if err != nil {
			continue
		}
		member.awaitEnd(ctx)
		member.close()
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
	}
}
