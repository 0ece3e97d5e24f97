package process

import (
	"errors"
	"io/fs"
	"sync"

	"tend/services"
)

// table is one look at all processes of the machine.
type table struct {
	byPID    map[int]stat
	children map[int][]int
	marks    map[int]mark // of those that have one and let us look
	instance string
	sure     bool  // nobody was overlooked, as for want of descriptors
	short    error // of which there were too few, if that is why
}

// mostLists bounds how often a look lists the processes of a machine on which
// they come and go all the time.
const mostLists = 5

// look reads /proc.
func look(instance string) *table { return lookAt(instance, processes) }

// lookAt looks at those that are listed. Who was listed and is gone when it is
// looked at may have forked meanwhile: then it lists again, and looks at those
// that are new.
func lookAt(instance string, list func() ([]int, error)) *table {
	t := &table{byPID: map[int]stat{}, children: map[int][]int{}, instance: instance, marks: map[int]mark{}, sure: true}
	seen := make(map[int]bool)
	for range mostLists {
		pids, err := list()
		t.sure = t.sure && err == nil
		t.lacks(err)
		lost := false
		for _, pid := range pids {
			if !seen[pid] {
				seen[pid] = true
				lost = !t.add(pid) || lost
			}
		}
		if !lost {
			break
		}
	}
	return t
}

// add looks at one process and reports whether it was still there.
func (t *table) add(pid int) bool {
	s, err := readStat(pid)
	if err != nil {
		t.sure = t.sure && isGone(err)
		t.lacks(err)
		return false
	}
	t.byPID[pid] = s
	t.children[s.parent] = append(t.children[s.parent], pid)
	m, err := readMark(pid)
	if m.instance != "" {
		t.marks[pid] = m
	}
	t.lacks(err)
	t.sure = t.sure && (err == nil || isGone(err) || errors.Is(err, fs.ErrPermission))
	return true
}

// lacks notes the first error of those that want of something brings about.
func (t *table) lacks(err error) {
	if t.short == nil && noRoom(err) {
		t.short = err
	}
}

// foreign reports whether the process belongs to another instance: a tend that
// runs below ours, or beside it.
func (t *table) foreign(pid int) bool {
	m := t.marks[pid]
	return m.instance != "" && m.instance != t.instance
}

// knows reports whether a living process is one of the run by its identity, or
// by its mark.
func (t *table) knows(run services.Run) bool {
	for _, id := range append([]services.Identity{run.Leader}, run.Members...) {
		if s, ok := t.byPID[id.PID]; ok && s.Start == id.Start && !s.dead() {
			return true
		}
	}
	for pid, m := range t.marks {
		if s := t.byPID[pid]; m.instance == t.instance && m.run == run.ID && !s.dead() {
			return true
		}
	}
	return false
}

// members returns the living processes of a run, found by whatever is left of
// it: identities that were written down, session and group of the leader, the
// mark, and the descendants of all these.
func (t *table) members(run services.Run) []services.Identity {
	found := map[int]bool{}
	var out []services.Identity
	var add func(pid int)
	add = func(pid int) {
		s, ok := t.byPID[pid]
		if !ok || found[pid] || t.foreign(pid) {
			return
		}
		found[pid] = true
		if !s.dead() {
			out = append(out, s.Identity)
		}
		for _, child := range t.children[pid] {
			add(child)
		}
	}
	for _, id := range append([]services.Identity{run.Leader}, run.Members...) {
		if s, ok := t.byPID[id.PID]; ok && s.Start == id.Start {
			add(id.PID)
		}
	}
	// The number of a session or a group is not given to a new process while
	// one of its members lives.
	leads := t.byPID[run.Leader.PID]
	reused := leads.Start != 0 && leads.Start != run.Leader.Start
	for pid, s := range t.byPID {
		if !reused && s.Start >= run.Leader.Start && (s.session == run.Leader.PID || s.group == run.Leader.PID) {
			add(pid)
		}
	}
	for pid, m := range t.marks {
		if m.instance == t.instance && m.run == run.ID {
			add(pid)
		}
	}
	return out
}

// scanner lets everybody who wants to look at the same time share one look.
type scanner struct {
	instance string

	mu   sync.Mutex // guards what follows
	next *scan      // begins when the present one has ended
	busy bool
}

type scan struct {
	done  chan struct{}
	table *table
}

// look returns a table that was read entirely after the call began.
func (s *scanner) look() *table {
	s.mu.Lock()
	if s.next == nil {
		s.next = &scan{done: make(chan struct{})}
	}
	mine := s.next
	if s.busy {
		s.mu.Unlock()
		<-mine.done
		return mine.table
	}
	s.busy = true
	for s.next != nil {
		now := s.next
		s.next = nil
		s.mu.Unlock()
		now.table = look(s.instance)
		close(now.done)
		s.mu.Lock()
	}
	s.busy = false
	s.mu.Unlock()
	return mine.table
}
