package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Start begins a run. The error is of kind Unavailable where another attempt
// may succeed, otherwise Invalid with a sentence that says what to mend.
func (h *Host) Start(spec Spec) (*Process, error) {
	s := spec.Server
	who, err := identityOf(s.User)
	if err != nil {
		return nil, err
	}
	env, err := environ(s, who, h.instance, spec.ID)
	if err != nil {
		return nil, err
	}
	if err := checkDir(s.Dir); err != nil {
		return nil, err
	}
	argv := s.Command.List()
	program, err := lookup(argv[0], s.Dir, env)
	if err != nil {
		return nil, err
	}
	if s.NoFile > 0 {
		if err := checkNoFile(s.NoFile, who); err != nil {
			return nil, err
		}
		program, argv = withNoFile(s.NoFile, program, argv)
	}
	attr := &syscall.ProcAttr{
		Dir: s.Dir, Env: env,
		Files: []uintptr{h.null.Fd(), spec.Log.Fd(), spec.Log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: who.credential()},
	}
	run := services.Run{ID: spec.ID, Server: s.Name, Boot: h.boot}
	pid, fd, err := h.spawn(&run, program, argv, attr, s.Umask)
	if err != nil {
		return nil, startError(err, argv[0], s)
	}
	run.StartedAt = time.Now()
	started, _ := readStat(pid) // it is there, if only as a zombie: nobody else reaps it
	run.Leader = services.Identity{PID: pid, Start: started.Start}
	leader, err := newHandle(run.Leader, fd, true)
	if err != nil {
		return nil, fmt.Errorf("watch pid %d: %w", pid, err)
	}
	p := newProcess(h, run, leader, h.tracking(run))
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

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case os.IsNotExist(err):
		return services.Errorf(services.Invalid, "its directory %s does not exist: make it, or change dir", dir)
	case err != nil:
		return services.Errorf(services.Invalid, "its directory %s cannot be used: %v", dir, reason(err))
	case !info.IsDir():
		return services.Errorf(services.Invalid, "its dir %s is not a directory", dir)
	}
	return nil
}

func checkNoFile(n uint64, who *identity) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil // the shell will say it
	}
	if n > limit.Max && (os.Geteuid() != 0 || who != nil && who.uid != 0) {
		return services.Errorf(services.Invalid, "limits.nofile %d is more than the %d that the system allows here", n, limit.Max)
	}
	return nil
}

// withNoFile lets a shell set the limit and become the program: a limit set
// from outside after the start would come too late.
func withNoFile(n uint64, program string, argv []string) (string, []string) {
	wrapped := []string{"sh", "-c", "ulimit -n " + strconv.FormatUint(n, 10) + ` && exec "$@"`, "sh", program}
	return "/bin/sh", append(wrapped, argv[1:]...)
}

// startError makes a sentence of what the kernel said.
func startError(err error, program string, s services.Server) error {
	as := ""
	if s.User != "" {
		as = " as user " + s.User
	}
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ETXTBSY):
		return services.Errorf(services.Unavailable, "the system has no room for another process now: %v", err)
	case errors.Is(err, unix.ENOENT):
		return services.Errorf(services.Invalid, "command %q cannot be run: its interpreter (the #! line, or the dynamic loader) does not exist", program)
	case errors.Is(err, unix.ENOEXEC):
		return services.Errorf(services.Invalid, "command %q is neither a program nor a script with a #! line", program)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return services.Errorf(services.Invalid, "command %q cannot be run%s in %s: permission denied", program, as, s.Dir)
	}
	return services.Errorf(services.Invalid, "command %q cannot be run%s: %v", program, as, err)
}
