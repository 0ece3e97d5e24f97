package process

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Find returns every live run of this instance: those known whose processes
// are still there, and those that nobody wrote down, found by their cgroup or
// their mark. Unavailable where somebody may have been overlooked.
func (h *Host) Find(known []services.Run) ([]services.Run, error) {
	t := look(h.instance)
	if t.short != nil {
		return nil, services.Errorf(services.Unavailable, "not every process can be looked at: %v%s", t.short, moreRoom(t.short))
	}
	return h.find(t, known)
}

// find is Find after a look at all processes. Some of them may have ended since.
func (h *Host) find(t *table, known []services.Run) ([]services.Run, error) {
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
		pids, err := h.settled(services.Run{Server: name[:i], Cgroup: dir})
		if err != nil {
			return nil, err
		}
		if len(pids) == 0 {
			h.discard(dir, sweeps)
			continue
		}
		seen[id] = true
		out = append(out, h.reconstruct(t, id, name[:i], dir, pids))
	}
	marked := map[string][]services.Identity{}
	names := map[string]string{}
	for pid, m := range t.marks {
		if s := t.byPID[pid]; m.instance == h.instance && !seen[m.run] && !h.kin[pid] && !over(s.Identity) {
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

// livingOf returns what is alive of a recorded run. While nobody watched, the
// numbers of its session and its group may have become those of others, so they
// count only beside a process that is known for sure.
func (h *Host) livingOf(t *table, run services.Run) []services.Identity {
	if run.Cgroup == "" && !t.knows(run) {
		return nil
	}
	if run.Cgroup == "" {
		return t.members(run)
	}
	ids, _ := h.inCgroup(run.Cgroup)
	return ids
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
