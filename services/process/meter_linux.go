package process

import (
	"context"
	"iter"
	"os"
	"slices"
	"time"

	"tend/services"
)

// Meter reads what all live runs use, in one pass. It remembers what it has
// read, so that runs that do nothing cost next to nothing. Only one goroutine
// may use it.
type Meter struct {
	host     *Host
	proc     *reader // in /proc, while a pass lasts
	group    *reader // in cgroups, whose names are absolute
	sized    bool    // the kernel tells how many descriptors a process has
	pageSize int64

	all    int64 // processor time of the cgroup above those of all runs, in µs, at the pass before
	still  bool  // none of them has used any since
	blind  bool  // for want of descriptors or memory somebody was overlooked
	pass   int
	turns  int // given out so far
	owners owners

	changes     uint64 // of the host, when it was last asked for its runs
	runs        map[string]*runUsage
	live, loose []*runUsage // all of runs, and those that have no cgroup

	scratch []int // only memory that is used again
}

// After how many passes what seems not to have changed is read again: a process
// that has used less than a tick of the processor may have read a little. Of a
// run that has a cgroup it is sure that it has not run, and only the kernel may
// have taken memory back.
const (
	patience      = 8
	patienceGroup = 32
)

// runUsage is what the meter knows of one run.
type runUsage struct {
	run  services.Run
	turn int  // spreads what is read again over the passes
	told bool // usage is what was told last

	shared  bool  // its cgroup holds all our servers: the manager was started in it
	within  bool  // its cgroup is below the one of all runs
	cgroup  int64 // processor time by its cgroup, in µs; negative before the first reading
	lacks   lacks
	members []member // as read last, by pid
	fresh   []member // being read
	cpu     counter  // ticks
	read    counter  // bytes
	write   counter
	usage   Usage // as reported last
}

// lacks says which files the cgroup of a run has not: no controller makes them.
type lacks struct{ memory, io bool }

// NewMeter makes a meter of the host's runs.
func (h *Host) NewMeter() *Meter {
	return &Meter{
		host: h, proc: newReader(), group: newReader(), sized: sizedFiles(),
		pageSize: int64(os.Getpagesize()), runs: map[string]*runUsage{},
	}
}

// Read makes one pass over the live runs, in no order: all of them, or only
// those whose usage is not what was told of them last. It ends early when ctx
// does; the next pass then has to be over all.
func (m *Meter) Read(ctx context.Context, all bool) iter.Seq[Usage] {
	return func(yield func(Usage) bool) {
		m.pass++
		m.list()
		sighted := m.proc.enter("/proc") == nil // there are descriptors left
		if sighted {
			defer m.proc.leave()
			if m.host.cgroups != nil && m.group.enter(m.host.cgroups.base) == nil {
				defer m.group.leave()
			}
			m.stillness()
		}
		sure := sighted && (len(m.loose) == 0 || m.readLoose(ctx, m.loose))
		for _, r := range m.live {
			if ctx.Err() != nil {
				return
			}
			was := overlooked
			if sighted {
				was = m.read(r, sure)
			}
			if was == unchanged && r.told && !all {
				continue
			}
			u := r.usage
			if r.told = was != overlooked; !r.told {
				u = unmeasured(r.run)
			}
			if !yield(u) {
				return
			}
		}
	}
}

// outcome is what came of reading one run.
type outcome int

const (
	overlooked outcome = iota // somebody may have been
	unchanged
	changed // or just read again
)

// read reads one run. sure says that nobody was overlooked of those that have
// no cgroup.
func (m *Meter) read(r *runUsage, sure bool) outcome {
	if r.run.Cgroup != "" {
		return m.readGrouped(r)
	}
	if !sure {
		return overlooked
	}
	before := r.usage
	if m.sum(r); r.usage == before {
		return unchanged
	}
	return changed
}

// stillness asks once whether any run has used the processor since the pass
// before.
func (m *Meter) stillness() {
	m.still = false
	if m.host.cgroups == nil {
		return
	}
	all := m.groupCPU(m.host.cgroups.base)
	m.still = all >= 0 && all == m.all
	m.all = all
}

// list makes sure that the runs are those of the host.
func (m *Meter) list() {
	now := m.host.changes.Load() // before: what changes meanwhile is asked for again
	if now == m.changes {
		return
	}
	m.changes = now
	before := m.runs
	m.runs = make(map[string]*runUsage, len(before))
	m.live, m.loose = m.live[:0], m.loose[:0]
	for _, p := range m.host.all() {
		run := p.Run()
		r := before[run.ID]
		if r == nil {
			r = &runUsage{cgroup: -1, turn: m.turns % patienceGroup}
			m.turns++
		}
		m.runs[run.ID] = r
		r.run = run
		grouped := m.host.cgroups != nil && run.Cgroup != ""
		r.shared = grouped && below(m.host.cgroups.base, run.Cgroup)
		r.within = grouped && !r.shared && below(run.Cgroup, m.host.cgroups.base)
		m.live = append(m.live, r)
		if run.Cgroup == "" {
			m.loose = append(m.loose, r)
		}
	}
}

// readGrouped reads a run that has a cgroup. Where nothing of it has run since
// the pass before, nothing has changed.
func (m *Meter) readGrouped(r *runUsage) outcome {
	used := int64(-1)
	switch {
	case r.shared:
	case m.still && r.within && r.told && r.cgroup >= 0:
		used = r.cgroup
	default:
		used = m.groupCPU(r.run.Cgroup)
	}
	if used >= 0 && used == r.cgroup && (m.pass+r.turn)%patienceGroup != 0 {
		return unchanged
	}
	m.blind = false
	m.scratch = m.groupPIDs(r.run.Cgroup, r.shared, m.scratch[:0])
	slices.Sort(m.scratch)
	r.fresh = r.fresh[:0]
	for _, pid := range m.scratch {
		if r.shared && m.host.kin[pid] && pid != r.run.Leader.PID {
			continue
		}
		if s, ok := m.stat(pid); ok {
			r.fresh = append(r.fresh, s)
		}
	}
	if m.blind {
		return overlooked
	}
	m.sum(r)
	r.cgroup = max(r.cgroup, used)
	if r.cgroup >= 0 {
		r.usage.CPU = time.Duration(r.cgroup) * time.Microsecond
	}
	if bytes, ok := m.groupMemory(r); ok {
		r.usage.Memory, r.usage.MemoryKind = services.Amount(bytes), services.MemoryCgroup
	}
	return changed
}

// sum adds up the members that were just read.
func (m *Meter) sum(r *runUsage) {
	var ticks, read, write, files, living, threads, pages int64
	m.complete(r)
	for i := range r.fresh {
		s := &r.fresh[i]
		ticks += s.ticks
		read, write = plus(read, s.read), plus(write, s.write)
		if s.dead {
			continue
		}
		living++
		threads += s.threads
		pages += s.pages
		files = plus(files, s.files)
	}
	r.members, r.fresh = r.fresh, r.members
	r.cpu.add(ticks)
	u := unmeasured(r.run)
	u.CPU = time.Duration(r.cpu.total) * (time.Second / clockTicks)
	u.Memory, u.MemoryKind = services.Amount(pages*m.pageSize), services.MemoryRSS
	u.Processes, u.Threads, u.Files = services.Amount(living), services.Amount(threads), services.Amount(files)
	if r.countsTraffic() {
		read, write = m.groupTraffic(r, read, write)
	}
	if read >= 0 && write >= 0 {
		r.read.add(read)
		r.write.add(write)
		u.Read, u.Write = services.Amount(r.read.total), services.Amount(r.write.total)
	}
	r.usage = u
}

// countsTraffic reports whether the cgroup counts, or that is not known yet.
func (r *runUsage) countsTraffic() bool { return r.run.Cgroup != "" && !r.shared && !r.lacks.io }

// plus adds, where both are known.
func plus(a, b int64) int64 {
	if a < 0 || b < 0 {
		return -1
	}
	return a + b
}

// complete finds out what the members that were just read have read, written
// and opened. One that has not used a tick since the pass before is not asked
// again before its turn, unless another member has ended: what that one used
// may be in the count of its parent now.
func (m *Meter) complete(r *runUsage) {
	before := r.members
	find := func(s *member) *member {
		i, ok := slices.BinarySearchFunc(before, s.PID, func(a member, pid int) int { return a.PID - pid })
		if !ok || before[i].Start != s.Start {
			return nil
		}
		return &before[i]
	}
	known := 0
	for i := range r.fresh {
		if find(&r.fresh[i]) != nil {
			known++
		}
	}
	told := r.countsTraffic() && r.cgroup >= 0 // by the cgroup
	for i := range r.fresh {
		s := &r.fresh[i]
		old := find(s)
		if old != nil && old.ticks == s.ticks && known == len(before) && (m.pass+s.PID)%patience != 0 {
			s.read, s.write, s.files = old.read, old.write, old.files
			continue
		}
		if !told {
			s.read, s.write = m.traffic(s.PID)
		}
		if !s.dead {
			s.files = m.files(s.PID)
		}
	}
}
