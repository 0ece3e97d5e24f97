package process

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Adopt takes over a run of an earlier manager. Where its main process is dead
// but others of its tree live, Exited is closed at once, unless the run forks:
// then its daemon is the main process from now on. NotFound when nothing of it
// is alive, any other error when something is or may be.
func (h *Host) Adopt(run services.Run) (*Process, error) {
	leader, err := h.open(run.Leader)
	switch {
	case noRoom(err):
		return nil, services.Errorf(services.Unavailable, "%s (pid %d) runs on, but cannot be taken over: %v%s", run.Server, run.Leader.PID, err, moreRoom(err))
	case err != nil:
		ids, err := h.settled(run)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			h.discard(run.Cgroup, sweeps)
			return nil, services.Errorf(services.NotFound, "nothing of run %s of %s is alive", run.ID, run.Server)
		}
		leader = nil
		if best, _ := h.sessionMaker(run); run.Forks && best.PID != 0 {
			if leader, err = h.open(best.Identity); err == nil {
				run.Leader, run.Forks = leader.Identity, false
			}
		}
	}
	p, err := newProcess(h, run, leader, h.tracking(run), false)
	if err != nil {
		h.closeHandle(leader)
		return nil, err
	}
	h.keep(p)
	return p, nil
}

// A process that is about to end is dead already, but still counts as one in its
// cgroup. On a busy machine that can last.
const (
	dying      = 2 * time.Second
	dyingPause = time.Millisecond
)

// settled returns the members of a run once those that are dying have died. It
// is Unavailable where somebody may have been overlooked.
func (h *Host) settled(run services.Run) ([]services.Identity, error) {
	ids, sure := h.members(run)
	for until := time.Now().Add(dying); len(ids) == 0 && !sure && time.Now().Before(until); {
		<-time.After(dyingPause)
		ids, sure = h.members(run)
	}
	if len(ids) == 0 && !sure {
		return nil, services.Errorf(services.Unavailable, "what is left of %s cannot be looked at now", run.Server)
	}
	return ids, nil
}

// Ended says how the main process of a run has ended that is not alive any more.
// It is known where that was our child: this process was another manager before,
// and whatever has ended between the two was left to us.
func (h *Host) Ended(run services.Run) services.Exit {
	now := time.Now()
	if s, err := readStat(run.Leader.PID); err == nil && s.Start == run.Leader.Start && s.dead() && s.parent == h.pid {
		var ws unix.WaitStatus
		if pid, err := unix.Wait4(s.PID, &ws, unix.WNOHANG|unix.WALL, nil); err == nil && pid == s.PID {
			return services.ExitFromStatus(syscall.WaitStatus(ws), now)
		}
	}
	if ws, ok := h.witness.reaped(run.Leader); ok { // by then, or before
		return services.ExitFromStatus(ws, now)
	}
	return services.UnknownExit(now)
}

func (h *Host) tracking(run services.Run) services.Tracking {
	if run.Cgroup != "" {
		return services.TrackCgroup
	}
	return services.TrackRecorded
}
