package process

import (
	"cmp"
	"context"
	"slices"

	"tend/services"
)

// readLoose reads all processes of the machine and gives those that belong to
// runs without a cgroup to their runs. It reports false where somebody may have
// been overlooked.
//
// The mark in the environment is not read here: whoever bears one is written
// down by the host now and again, and in the meantime session, group and
// parents tell. Who was found once remains with its run when it loses them.
func (m *Meter) readLoose(ctx context.Context, runs []*runUsage) bool {
	m.blind = false
	m.proc.in(".", "")
	var err error
	if m.scratch, err = m.proc.pids(m.scratch[:0]); err != nil {
		return false
	}
	o := &m.owners
	o.reset(runs, m.host.kin)
	for _, pid := range m.scratch {
		if ctx.Err() != nil {
			return false
		}
		if s, ok := m.stat(pid); ok {
			o.add(s)
		}
	}
	if m.blind {
		return false
	}
	for _, r := range runs {
		r.fresh = r.fresh[:0]
	}
	for i, s := range o.all {
		if r := o.of(i); r != nil {
			r.fresh = append(r.fresh, s)
		}
	}
	for _, r := range runs {
		slices.SortFunc(r.fresh, func(a, b member) int { return cmp.Compare(a.PID, b.PID) })
	}
	return true
}

// owners finds out whose every process is.
type owners struct {
	all   []member
	index map[int]int // into all, by pid
	found []owner     // for each of all
	kin   map[int]bool
	named map[services.Identity]*runUsage // who was written down, or seen before
	heads map[int]*runUsage               // by the pid of the main process, also after its end
}

type owner struct {
	run   *runUsage
	known bool
}

// reset begins a pass, in the memory of the pass before.
func (o *owners) reset(runs []*runUsage, kin map[int]bool) {
	if o.index == nil {
		o.index, o.named, o.heads = map[int]int{}, map[services.Identity]*runUsage{}, map[int]*runUsage{}
	}
	o.all, o.found, o.kin = o.all[:0], o.found[:0], kin
	clear(o.index)
	clear(o.named)
	clear(o.heads)
	for _, r := range runs {
		for i := range r.members {
			o.named[r.members[i].Identity] = r
		}
		for _, id := range r.run.Members {
			o.named[id] = r
		}
	}
	for _, r := range runs {
		o.named[r.run.Leader] = r
		o.heads[r.run.Leader.PID] = r
	}
}

func (o *owners) add(s member) {
	o.index[s.PID] = len(o.all)
	o.all = append(o.all, s)
	o.found = append(o.found, owner{})
}

// of returns the run that a process belongs to, nil for none: its own, or that
// of its session, its group or its parent.
func (o *owners) of(i int) *runUsage {
	if o.found[i].known {
		return o.found[i].run
	}
	o.found[i].known = true // before its parent is asked: pids that change hands meanwhile make no circle
	s := o.all[i]
	r := o.named[s.Identity]
	if r == nil && o.kin[s.PID] {
		return nil // we are no part of the server that has started us
	}
	if r == nil {
		r = o.head(s.session, s)
	}
	if r == nil {
		r = o.head(s.group, s)
	}
	if parent, ok := o.index[s.parent]; r == nil && ok {
		r = o.of(parent)
	}
	o.found[i].run = r
	return r
}

// head returns the run whose main process gave its pid to a session or group.
// The number is not given to a new process while one of the members lives.
func (o *owners) head(pid int, s member) *runUsage {
	r := o.heads[pid]
	if r == nil || s.Start < r.run.Leader.Start {
		return nil
	}
	if i, ok := o.index[pid]; ok && o.all[i].Start != r.run.Leader.Start {
		return nil // it was given to another one
	}
	return r
}
