package process

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// forker forks on threads that do nothing else. Each has a table of descriptors
// of its own, with only those in it that were open when the host was made: a
// child begins with a copy of the table, and closes it all at its exec, which
// for a manager of a thousand servers takes as long as the rest of a start.
// Among those few is the lock of the data directory, which a child holds until
// its exec. The threads also let a child begin with no signal blocked, whatever
// we were started with.
//
// They never end: the children of a thread that ends pass to another one, maybe
// to the main thread, whose reaper would take their exits away.
type forker struct{ jobs chan forkJob }

const (
	forkThreads = 2
	// forkPatience is how long both may be busy, as with a program on a disk
	// that does not answer, before a start goes another way.
	forkPatience = time.Second
)

// forkJob is what to fork. Its descriptors are those of all other threads.
type forkJob struct {
	program string
	argv    []string
	attr    syscall.ProcAttr // without Files
	log     *os.File         // stdout and stderr
	cgroup  string           // directory to begin in; empty for ours
	done    chan<- forked
}

type forked struct {
	pid int
	err error
}

func newForker() forker {
	f := forker{jobs: make(chan forkJob)}
	for range forkThreads {
		ready := make(chan struct{})
		go f.thread(ready)
		<-ready
	}
	return f
}

func (f *forker) fork(job forkJob) (pid int, err error) {
	done := make(chan forked, 1)
	job.done = done
	patience := time.NewTimer(forkPatience)
	defer patience.Stop()
	select {
	case f.jobs <- job:
	case <-patience.C:
		return job.run(false)
	}
	result := <-done
	runtime.KeepAlive(job.log)
	return result.pid, result.err
}

// thread lives as long as the program. Where it cannot have a table of its own
// it uses that of all the others.
func (f *forker) thread(ready chan<- struct{}) {
	runtime.LockOSThread()
	// Nothing is closed: the runtime may want its own descriptors here, too.
	apart := unix.CloseRange(math.MaxInt32-1, math.MaxInt32, unix.CLOSE_RANGE_UNSHARE) == nil
	var none unix.Sigset_t
	unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil) //nolint:errcheck // then they stay blocked
	close(ready)
	for job := range f.jobs {
		pid, err := job.run(apart)
		job.done <- forked{pid, err}
	}
}

// run must not use anything that knows descriptors, but for plain system calls.
func (job *forkJob) run(apart bool) (pid int, err error) {
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(null)
	out := int(job.log.Fd())
	if apart { // in /proc are the descriptors of the main thread
		out, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", out), unix.O_WRONLY|unix.O_APPEND|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, fmt.Errorf("open its log again: %w", err)
		}
		defer unix.Close(out)
	}
	attr := job.attr
	attr.Files = []uintptr{uintptr(null), uintptr(out), uintptr(out)}
	if job.cgroup != "" {
		dir, err := unix.Open(job.cgroup, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		defer unix.Close(dir)
		sys := *attr.Sys
		sys.UseCgroupFD, sys.CgroupFD = true, dir
		attr.Sys = &sys
	}
	return syscall.ForkExec(job.program, job.argv, &attr)
}
