package process

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
	"tend/services/failpoint"
)

// Start begins a run. The error is of kind Unavailable where another attempt
// may succeed, otherwise Invalid with a sentence that says what to mend.
func (h *Host) Start(spec Spec) (*Process, error) {
	s := spec.Server
	l, err := prepare(spec, h.instance)
	if err != nil {
		return nil, err
	}
	run := services.Run{ID: spec.ID, Server: s.Name, Boot: h.boot, Forks: spec.Forks}
	defer h.begins(run.ID)()
	pid, fd, err := h.spawn(&run, s, forkJob{
		program: l.program, argv: l.argv, log: spec.Log,
		attr: syscall.ProcAttr{Dir: s.Dir, Env: l.env, Sys: &syscall.SysProcAttr{Setsid: true, Credential: l.who.credential()}},
	})
	if err != nil {
		return nil, startError(err, s)
	}
	run.StartedAt = time.Now()
	started, _ := readStat(pid) // it is there, if only as a zombie: nobody else reaps it
	run.Leader = services.Identity{PID: pid, Start: started.Start}
	leader := &handle{Identity: run.Leader, child: true, fd: fd}
	p, err := newProcess(h, run, leader, h.tracking(run), s.Notifies())
	if err != nil { // no descriptor or no memory is left: nobody could look after it
		leader.signal(syscall.SIGKILL, false) //nolint:errcheck // it is our own child
		waitPidfd(fd)                         //nolint:errcheck // the reaper takes what is left
		leader.close()
		return nil, services.Errorf(services.Unavailable, "%v", err)
	}
	h.keep(p)
	failpoint.At("spawn-watched")
	if run.Cgroup == "" {
		select {
		case h.started <- struct{}{}:
		default: // a look is due anyway
		}
	}
	return p, nil
}

// spawn forks into a cgroup of the run's own or, where none can be had,
// without one.
func (h *Host) spawn(run *services.Run, s services.Server, job forkJob) (pid, pidfd int, err error) {
	program, argv := job.program, job.argv
	if h.cgroups != nil {
		job.cgroup, err = h.cgroups.make(run.Server, run.ID)
		failpoint.At("spawn-cgroup-made")
		if err == nil {
			job.program, job.argv = within(s, limit(job.cgroup, s.Limits), program, argv)
			pid, err = h.forker.fork(job)
			failpoint.At("spawn-forked")
			if err == nil {
				run.Cgroup = job.cgroup
				return h.follow(pid)
			}
			unix.Rmdir(job.cgroup) //nolint:errcheck // it is swept at the next start
			if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENODEV) {
				return 0, -1, err
			}
		}
		h.log.Warn("a run has no cgroup", "server", run.Server, "err", err)
		job.cgroup = ""
	}
	job.program, job.argv = within(s, limited{}, program, argv)
	if pid, err = h.forker.fork(job); err != nil {
		return 0, -1, err
	}
	return h.follow(pid)
}

// follow opens our own child, which nobody else can have reaped.
func (h *Host) follow(pid int) (int, int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		unix.Kill(pid, unix.SIGKILL)         //nolint:errcheck // nobody could look after it
		unix.Wait4(pid, nil, unix.WALL, nil) //nolint:errcheck // it is our child
		return 0, -1, fmt.Errorf("%w: %w", syscall.EAGAIN, err)
	}
	return pid, fd, nil
}
