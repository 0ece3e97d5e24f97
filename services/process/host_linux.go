package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// clockTicks is USER_HZ, which is 100 on every Linux that Go supports.
const clockTicks = 100

// Host is the machine as this instance sees it.
type Host struct {
	instance string
	without  Without
	log      *slog.Logger
	boot     string
	pid      int
	cgroups  *cgroups // nil where there are none
	scanner  scanner
	forker   forker
	null     *os.File // /dev/null, everybody's stdin

	ctx  context.Context // ends with Run
	end  context.CancelFunc
	work sync.WaitGroup // one goroutine or two for each process

	sweep   chan struct{} // holds one token when there is trash
	started chan struct{} // holds one token when a run without a cgroup has begun

	mu    sync.Mutex // guards what follows
	live  map[string]*Process
	trash []string // cgroups to remove
}

// New looks at what the machine offers. The error means that processes cannot
// be looked after at all.
func New(o Options) (*Host, error) {
	boot, err := bootID()
	if err != nil {
		return nil, fmt.Errorf("read the boot id: %w", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	h := &Host{
		null: null, forker: forker{blocked: signalsBlocked()},
		instance: o.Instance, without: o.Without, log: o.Log, boot: boot, pid: os.Getpid(),
		scanner: scanner{instance: o.Instance}, live: map[string]*Process{},
		sweep: make(chan struct{}, 1), started: make(chan struct{}, 1),
	}
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
	h.tend(ctx)
	h.end()
	for _, p := range h.all() {
		p.release()
	}
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
	timer := time.NewTimer(scanSoon)
	defer timer.Stop()
	tidy := time.NewTimer(time.Hour)
	tidy.Stop()
	defer tidy.Stop()
	for pause := scanSoon; ; {
		select {
		case <-ctx.Done():
			return
		case <-h.sweep:
			tidy.Reset(tidyPause)
		case <-tidy.C:
			h.sweepCgroups()
		case <-h.started:
			pause = scanSoon
			timer.Reset(pause)
		case <-timer.C:
			if h.recordDescendants() {
				pause = min(5*pause, scanLate)
				timer.Reset(pause)
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

// reaped returns what the reaper has seen of a process.
func (h *Host) reaped(pid int) (syscall.WaitStatus, bool) { return reapings.take(pid) }

func (h *Host) closing() bool { return h.ctx.Err() != nil }

// release wakes the goroutine that waits for the main process.
func (p *Process) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leader != nil {
		p.leader.pidfd.SetReadDeadline(time.Unix(1, 0))
	}
}

// forget drops a run whose tree is gone. Its cgroup is removed later, off the
// way to the next start.
func (h *Host) forget(p *Process) {
	h.mu.Lock()
	delete(h.live, p.run.ID)
	if p.run.Cgroup != "" {
		h.trash = append(h.trash, p.run.Cgroup)
	}
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
	for _, dir := range trash {
		removeCgroup(dir, h.instance)
	}
}

func (h *Host) keep(p *Process) {
	h.mu.Lock()
	h.live[p.run.ID] = p
	h.mu.Unlock()
}

// all returns the live runs.
func (h *Host) all() []*Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*Process, 0, len(h.live))
	for _, p := range h.live {
		out = append(out, p)
	}
	return out
}

// members returns the living processes of a run. With strays it also takes
// those that came back to us without any sign of where they belong.
func (h *Host) members(run services.Run, strays bool) []services.Identity {
	if run.Cgroup != "" {
		return h.inCgroup(run.Cgroup)
	}
	t := h.scanner.look()
	out := t.members(run)
	if strays {
		out = append(out, h.strays(t, run, out)...)
	}
	return out
}

func (h *Host) inCgroup(dir string) []services.Identity {
	if !populated(dir) {
		return nil
	}
	var out []services.Identity
	for _, pid := range cgroupMembers(dir, h.instance, nil) {
		if s, ok := readStat(pid); ok && !s.dead() {
			out = append(out, s.Identity)
		}
	}
	return out
}

// strays returns children of ours that no run claims: daemons whose parent has
// ended and that have wiped their environment. They belong to the run if they
// were started during its main process's life and run the same program.
func (h *Host) strays(t *table, run services.Run, claimed []services.Identity) []services.Identity {
	taken := map[int]bool{}
	for _, p := range h.all() {
		other := p.Run()
		taken[other.Leader.PID] = true
		for _, id := range other.Members {
			taken[id.PID] = true
		}
	}
	for _, id := range claimed {
		taken[id.PID] = true
	}
	var out []services.Identity
	for _, pid := range t.children[h.pid] {
		s := t.byPID[pid]
		if taken[pid] || s.dead() || s.Start < run.Leader.Start || s.session == run.Leader.PID || t.foreign(pid) {
			continue
		}
		if m := t.marks[pid]; m.run != "" && m.run != run.ID {
			continue
		}
		out = append(out, s.Identity)
	}
	return out
}

// Adopt takes over a run of an earlier manager. Where its main process is dead
// but others of its tree live, Exited is closed at once. NotFound when nothing
// of it is alive.
func (h *Host) Adopt(run services.Run) (*Process, error) {
	leader, err := openHandle(run.Leader)
	if err != nil {
		if len(h.members(run, false)) == 0 {
			if run.Cgroup != "" {
				removeCgroup(run.Cgroup, h.instance)
			}
			return nil, services.Errorf(services.NotFound, "nothing of run %s of %s is alive", run.ID, run.Server)
		}
		leader = nil
	}
	p := newProcess(h, run, leader, h.tracking(run))
	h.keep(p)
	return p, nil
}

func (h *Host) tracking(run services.Run) services.Tracking {
	if run.Cgroup != "" {
		return services.TrackCgroup
	}
	return services.TrackRecorded
}

// Find returns every live run of this instance: those known whose processes
// are still there, and those that nobody wrote down, found by their cgroup or
// their mark.
func (h *Host) Find(known []services.Run) ([]services.Run, error) {
	t := look(h.instance)
	var out []services.Run
	seen := map[string]bool{}
	dirs := map[string]string{}
	if h.cgroups != nil {
		dirs = h.cgroups.runsInCgroups(h.instance)
	}
	for _, run := range known {
		if run.Boot != h.boot {
			continue
		}
		if len(h.livingOf(t, run)) > 0 {
			out = append(out, run)
			seen[run.ID] = true
		}
	}
	for name, dir := range dirs {
		i := strings.LastIndexByte(name, '.')
		id := name[i+1:]
		if seen[id] {
			continue
		}
		pids := h.inCgroup(dir)
		if len(pids) == 0 {
			removeCgroup(dir, h.instance)
			continue
		}
		seen[id] = true
		out = append(out, h.reconstruct(t, id, name[:i], dir, pids))
	}
	marked := map[string][]services.Identity{}
	names := map[string]string{}
	for pid, m := range t.marks {
		if s := t.byPID[pid]; m.instance == h.instance && !s.dead() && !seen[m.run] {
			marked[m.run] = append(marked[m.run], s.Identity)
			names[m.run] = m.server
		}
	}
	for id, pids := range marked {
		out = append(out, h.reconstruct(t, id, names[id], "", pids))
	}
	slices.SortFunc(out, func(a, b services.Run) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// livingOf returns what is alive of a recorded run.
func (h *Host) livingOf(t *table, run services.Run) []services.Identity {
	if run.Cgroup != "" {
		return h.inCgroup(run.Cgroup)
	}
	return t.members(run)
}

// reconstruct makes the record of a run that nobody wrote down. Its main
// process is the oldest one that leads a session, or else the oldest.
func (h *Host) reconstruct(t *table, id, server, dir string, pids []services.Identity) services.Run {
	slices.SortFunc(pids, func(a, b services.Identity) int {
		al, bl := t.byPID[a.PID].session == a.PID, t.byPID[b.PID].session == b.PID
		switch {
		case al != bl && al:
			return -1
		case al != bl:
			return 1
		case a.Start != b.Start:
			return int(int64(a.Start) - int64(b.Start))
		}
		return a.PID - b.PID
	})
	run := services.Run{ID: id, Server: server, Boot: h.boot, Leader: pids[0], Cgroup: dir, StartedAt: startedAt(pids[0].Start)}
	if dir == "" {
		run.Members = pids[1:]
	}
	return run
}

// startedAt turns a start time in clock ticks into an instant.
func startedAt(ticks uint64) time.Time {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return time.Now()
	}
	age := time.Duration(now.Nano()) - time.Duration(ticks)*(time.Second/clockTicks)
	return time.Now().Add(-age)
}

// Owns reports whether the process belongs to a run of ours.
func (h *Host) Owns(pid int) bool {
	if h.cgroups != nil {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err == nil && strings.Contains(string(text), "/"+cgroupPrefix+h.instance+"/") {
			return true
		}
	}
	if m := readMark(pid); m.instance != "" {
		return m.instance == h.instance
	}
	var t *table
	for _, p := range h.all() {
		run := p.Run()
		if run.Leader.PID == pid {
			return true
		}
		if run.Cgroup != "" {
			continue
		}
		if t == nil {
			t = h.scanner.look()
		}
		if slices.ContainsFunc(t.members(run), func(id services.Identity) bool { return id.PID == pid }) {
			return true
		}
	}
	return false
}

// KillForeign ends a process that is not ours: SIGTERM, after grace SIGKILL.
// Forbidden for pid 1, the manager, its ancestors and the processes of any run.
func (h *Host) KillForeign(ctx context.Context, holder services.Holder, grace time.Duration) error {
	refuse := func(why string) error {
		return services.Errorf(services.Forbidden, "pid %d (%s) is not ended: %s", holder.PID, holder.Command, why)
	}
	if holder.PID == 1 {
		return refuse("it is the first process of the machine")
	}
	for pid := h.pid; pid > 1; {
		if pid == holder.PID {
			return refuse("it is the manager or one of its ancestors")
		}
		s, ok := readStat(pid)
		if !ok {
			break
		}
		pid = s.parent
	}
	if h.Owns(holder.PID) {
		return refuse("it belongs to another server")
	}
	p, err := openHandle(holder.Identity)
	if err != nil {
		return nil // gone already
	}
	defer p.close()
	if err := p.signal(syscall.SIGTERM, false); err != nil {
		if errors.Is(err, syscall.EPERM) {
			return refuse("it belongs to another user")
		}
		return ignoreGone(err)
	}
	bounded, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	p.awaitEnd(bounded)
	if !living(holder.Identity) {
		return nil
	}
	if err := p.signal(syscall.SIGKILL, false); err != nil {
		return ignoreGone(err)
	}
	bounded, cancel = context.WithTimeout(ctx, time.Second)
	defer cancel()
	p.pidfd.SetReadDeadline(time.Time{})
	p.awaitEnd(bounded)
	return nil
}
