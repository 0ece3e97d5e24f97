package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// clockTicks is USER_HZ, which is 100 on every Linux that Go supports.
const clockTicks = 100

// Host is the machine as this instance sees it.
type Host struct {
	discreet
	instance string
	without  Without
	log      *slog.Logger
	boot     string
	pid      int
	kin      map[int]bool // the manager and its ancestors, but for pid 1
	cgroups  *cgroups     // nil where there are none
	scanner  scanner
	forker   forker
	watcher  *watcher
	witness  witness
	oom      *outOfMemory // asked with mu held

	ctx  context.Context // ends with Run
	end  context.CancelFunc
	work sync.WaitGroup // what processes have to have done

	hearing   atomic.Bool // what servers say by sd_notify is heard
	marks     marks
	connect   sync.Once
	connector *connector // set by connect; nil where there is none

	sweep   chan struct{} // holds one token when there is trash
	started chan struct{} // holds one token when a run without a cgroup has begun

	changes atomic.Uint64 // grows after live, or what Run says of one of them, has changed

	mu        sync.Mutex // guards what follows
	live      map[string]*Process
	strangers map[string]bool          // live runs whose main process is no child of ours
	starting  map[string]chan struct{} // runs that are not live yet; closed once they are, or will not be
	trash     []litter
}

// New looks at what the machine offers. The error means that processes cannot
// be looked after at all.
func New(o Options) (*Host, error) {
	boot, err := bootID()
	if err != nil {
		return nil, fmt.Errorf("read the boot id: %w", err)
	}
	h := &Host{
		discreet: newDiscreet(o),
		instance: o.Instance, without: o.Without, log: o.Log, boot: boot, pid: os.Getpid(),
		kin: kinOf(os.Getpid()), scanner: scanner{instance: o.Instance}, live: map[string]*Process{}, strangers: map[string]bool{}, starting: map[string]chan struct{}{},
		oom:   newOutOfMemory(),
		sweep: make(chan struct{}, 1), started: make(chan struct{}, 1),
		witness: witness{reaped: reapings.status, info: !o.Without.ExitInfo && tellsExits()},
	}
	if h.watcher, err = newWatcher(); err != nil {
		return nil, err
	}
	h.forker = newForker() // after the watcher: by then the runtime has its poller
	h.ctx, h.end = context.WithCancel(context.Background())
	if !o.Without.Cgroup {
		if h.cgroups, err = openCgroups(o.Instance); err != nil {
			h.log.Info("no cgroup for the servers: their processes are known by identity, session and mark", "err", err)
		}
	}
	return h, nil
}

// Boot returns the id of this boot of the machine.
func (h *Host) Boot() string { return h.boot }

// Run works in the background until ctx ends. The processes are left as they
// are.
func (h *Host) Run(ctx context.Context) error {
	h.work.Go(func() { h.watcher.run(h.ctx) })
	h.tend(ctx)
	h.end()
	h.work.Wait()
	h.sweepCgroups()
	if h.cgroups != nil {
		os.Remove(h.cgroups.base) // if it is empty
	}
	return nil
}

// tend removes what is left of ended runs and, where no cgroup holds the
// descendants of a run, writes down those that are alive: soon after a start,
// and then now and again.
func (h *Host) tend(ctx context.Context) {
	// What is due stays due: a stream of news does not put it off.
	var scan, tidy <-chan time.Time
	for pause := scanSoon; ; {
		select {
		case <-ctx.Done():
			return
		case <-h.sweep:
			if tidy == nil {
				tidy = time.After(tidyPause)
			}
		case <-tidy:
			tidy = nil
			h.sweepCgroups()
		case <-h.started:
			if scan == nil || pause > scanSoon {
				pause = scanSoon
				scan = time.After(pause)
			}
		case <-scan:
			scan = nil
			if h.recordDescendants() {
				pause = min(5*pause, scanLate)
				scan = time.After(pause)
			}
		}
	}
}

// tidyPause keeps the removal of old cgroups out of the way of the start that
// mostly follows the end of a run: both take the same lock in the kernel.
const tidyPause = 250 * time.Millisecond

// Descendants are looked for a second after a start, then ever more rarely.
const (
	scanSoon = time.Second
	scanLate = 30 * time.Second
)

// recordDescendants looks at all runs that have no cgroup, and reports whether
// there are any.
func (h *Host) recordDescendants() bool {
	var t *table
	for _, p := range h.all() {
		run := p.Run()
		if run.Cgroup != "" {
			continue
		}
		if t == nil {
			t = h.scanner.look()
		}
		if !t.sure {
			return true // do not forget whom we cannot see now
		}
		members := slices.DeleteFunc(t.members(run), func(id services.Identity) bool { return id == run.Leader })
		slices.SortFunc(members, func(a, b services.Identity) int { return a.PID - b.PID })
		p.mu.Lock()
		changed := !slices.Equal(p.run.Members, members)
		p.run.Members = members
		p.mu.Unlock()
		if changed {
			p.tellChanged()
		}
	}
	return t != nil
}

// open opens a process that we did not start. Where pidfds do not tell how such
// a process ends, the connector is asked to listen, before the process is known
// to be alive.
func (h *Host) open(id services.Identity) (*handle, error) {
	if !h.witness.info && !h.without.Connector {
		h.connect.Do(h.startConnector)
	}
	var d *death
	if h.connector != nil {
		d = h.connector.follow(id.PID)
	}
	x, err := openHandle(id)
	if err != nil {
		if d != nil {
			h.connector.forget(id.PID, d)
		}
		return nil, err
	}
	x.death = d
	return x, nil
}

func (h *Host) startConnector() {
	c, err := openConnector()
	if err != nil {
		h.log.Debug("how servers of an earlier manager end may stay unknown", "err", err)
		return
	}
	h.connector = c
	h.work.Go(func() { c.run(h.ctx) })
}

func (h *Host) closeHandle(x *handle) {
	if x.death != nil {
		h.connector.forget(x.PID, x.death)
	}
	x.close()
}

// forget drops a run whose tree is gone. Its cgroup is removed later, off the
// way to the next start.
func (h *Host) forget(p *Process) {
	h.mu.Lock()
	delete(h.live, p.run.ID)
	delete(h.strangers, p.run.ID)
	h.mu.Unlock()
	h.changes.Add(1)
	h.discard(p.run.Cgroup, sweeps)
}

// sweeps is how often the removal of a cgroup is tried: the manager may live in
// it, and then it stays.
const sweeps = 20

// litter is a cgroup to remove.
type litter struct {
	dir   string
	tries int // left
}

// discard has a cgroup removed, if there is one.
func (h *Host) discard(dir string, tries int) {
	if dir == "" || tries == 0 {
		return
	}
	h.mu.Lock()
	h.trash = append(h.trash, litter{dir, tries})
	h.mu.Unlock()
	select {
	case h.sweep <- struct{}{}:
	default: // it is about to sweep anyway
	}
}

// sweepCgroups removes the cgroups of runs that are gone.
func (h *Host) sweepCgroups() {
	h.mu.Lock()
	trash := h.trash
	h.trash = nil
	h.mu.Unlock()
	for _, l := range trash {
		err := removeCgroup(l.dir)
		if err == nil {
			continue
		}
		if l.tries == 1 && !h.shares(l.dir) {
			h.log.Warn("a control group of a run that is over stays", "path", l.dir, "err", err)
		}
		h.discard(l.dir, l.tries-1)
	}
}

// members returns the living processes of a run, without the manager and its
// ancestors, should they be among them. It is sure where nobody can have been
// overlooked, as for want of descriptors.
func (h *Host) members(run services.Run) (ids []services.Identity, sure bool) {
	if run.Cgroup == "" {
		t := h.scanner.look()
		ids, sure = t.members(run), t.sure
	} else {
		ids, sure = h.inCgroup(run.Cgroup)
	}
	return slices.DeleteFunc(ids, func(id services.Identity) bool { return h.kin[id.PID] && id != run.Leader }), sure
}

func (h *Host) inCgroup(dir string) (ids []services.Identity, sure bool) {
	if !populated(dir) {
		return nil, true
	}
	for _, pid := range cgroupMembers(dir, nil) {
		if s, err := readStat(pid); err == nil && !s.dead() {
			ids = append(ids, s.Identity)
		}
	}
	return ids, len(ids) > 0 || h.shares(dir) || !populated(dir)
}

// shares reports whether a manager, this one or another, lives in the cgroup.
func (h *Host) shares(dir string) bool {
	return h.cgroups != nil && below(h.cgroups.base, dir) || nested(dir)
}

// nobodyLeft looks, without a look at all processes, whether anything is left
// of a run that we have started, has no cgroup and whose main process has
// ended: whatever has lost its parent has come back to us. False where it takes
// more to know.
func (h *Host) nobodyLeft(run services.Run) bool {
	if !errors.Is(unix.Kill(-run.Leader.PID, 0), unix.ESRCH) {
		return false
	}
	for _, id := range run.Members {
		if living(id) {
			return false
		}
	}
	back, err := cameBack(h.pid)
	if err != nil {
		return false
	}
	taken := h.taken()
	for _, pid := range back {
		s, err := readStat(pid)
		switch {
		case err == nil && s.dead(), isGone(err), taken[pid]:
			continue
		case err != nil:
			return false
		}
		if m, err := readMark(pid); err != nil || m.run == "" || m.run == run.ID {
			return false
		}
	}
	return true
}

// taken returns the processes that are known to belong to a live run.
func (h *Host) taken() map[int]bool {
	taken := map[int]bool{}
	for _, p := range h.all() {
		run := p.Run()
		taken[run.Leader.PID] = true
		for _, id := range run.Members {
			taken[id.PID] = true
		}
	}
	return taken
}

// strays returns children of ours that no run claims: daemons whose parent has
// ended and that have wiped their environment. They belong to the run if they
// were started during its main process's life and bear its program's name.
func (h *Host) strays(run services.Run, program string, claimed []services.Identity) []services.Identity {
	if program == "" {
		return nil
	}
	t, taken := h.scanner.look(), h.taken()
	for _, id := range claimed {
		taken[id.PID] = true
	}
	var out []services.Identity
	for _, pid := range t.children[h.pid] {
		s := t.byPID[pid]
		if taken[pid] || s.dead() || s.Start < run.Leader.Start || s.session == run.Leader.PID || s.program != program {
			continue
		}
		if m := t.marks[pid]; m.run == "" || m.run == run.ID && m.instance == h.instance {
			out = append(out, s.Identity)
		}
	}
	return out
}
