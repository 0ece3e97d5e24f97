package process

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Start begins a run. The error is of kind Unavailable where another attempt
// may succeed, otherwise Invalid with a sentence that says what to mend.
func (h *Host) Start(spec Spec) (*Process, error) {
	s := spec.Server
	l, err := prepare(spec, h.instance)
	if err != nil {
		return nil, err
	}
	attr := &syscall.ProcAttr{
		Dir: s.Dir, Env: l.env,
		Files: []uintptr{h.null.Fd(), spec.Log.Fd(), spec.Log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: l.who.credential()},
	}
	run := services.Run{ID: spec.ID, Server: s.Name, Boot: h.boot}
	pid, fd, err := h.spawn(&run, l.program, l.argv, attr, s.Umask)
	if err != nil {
		return nil, startError(err, s)
	}
	run.StartedAt = time.Now()
	started, _ := readStat(pid) // it is there, if only as a zombie: nobody else reaps it
	run.Leader = services.Identity{PID: pid, Start: started.Start}
	leader := &handle{Identity: run.Leader, child: true, fd: fd}
	p, err := newProcess(h, run, leader, h.tracking(run))
	if err != nil { // no descriptor or no memory is left: nobody could look after it
		leader.signal(syscall.SIGKILL, false) //nolint:errcheck // it is our own child
		waitPidfd(fd)                         //nolint:errcheck // the reaper takes what is left
		leader.close()
		return nil, services.Errorf(services.Unavailable, "%v", err)
	}
	h.keep(p)
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
func (h *Host) spawn(run *services.Run, program string, argv []string, attr *syscall.ProcAttr, umask int) (pid, pidfd int, err error) {
	h.forks <- struct{}{}
	defer func() { <-h.forks }()
	pidfd = -1
	attr.Sys.PidFD = &pidfd
	if h.cgroups != nil {
		dir, fd, err := h.cgroups.make(run.Server, run.ID)
		if err == nil {
			attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, fd
			pid, err = h.forker.fork(program, argv, attr, umask)
			unix.Close(fd)
			if err == nil {
				run.Cgroup = dir
				return pid, pidfd, nil
			}
			unix.Rmdir(dir)
			if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENODEV) {
				return 0, -1, err
			}
		}
		h.log.Warn("a run has no cgroup", "server", run.Server, "err", err)
		attr.Sys.UseCgroupFD = false
	}
	pid, err = h.forker.fork(program, argv, attr, umask)
	if err == nil && pidfd < 0 {
		pidfd, err = unix.PidfdOpen(pid, 0)
	}
	return pid, pidfd, err
}
