package process

import (
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// forker forks. A server that wants a umask of its own, or all of them when we
// were started with blocked signals, are forked on one thread that has a umask
// and a signal mask apart from the others'. That thread never ends: the
// children of a thread that ends pass to another one, maybe to the main
// thread, whose reaper would take their exits away.
type forker struct {
	blocked bool // we were started with blocked signals
	once    sync.Once
	jobs    chan forkJob
}

type forkJob struct {
	program string
	argv    []string
	attr    *syscall.ProcAttr
	umask   int
	done    chan forked
}

type forked struct {
	pid int
	err error
}

func (f *forker) fork(program string, argv []string, attr *syscall.ProcAttr, umask int) (int, error) {
	if umask < 0 && !f.blocked {
		return syscall.ForkExec(program, argv, attr)
	}
	f.once.Do(func() {
		f.jobs = make(chan forkJob)
		go f.thread()
	})
	job := forkJob{program, argv, attr, umask, make(chan forked, 1)}
	f.jobs <- job
	result := <-job.done
	return result.pid, result.err
}

// thread lives as long as the program.
func (f *forker) thread() {
	runtime.LockOSThread()
	apart := unix.Unshare(unix.CLONE_FS)
	var none unix.Sigset_t
	unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
	usual := -1
	for job := range f.jobs {
		if apart != nil {
			job.done <- forked{err: apart}
			continue
		}
		if usual < 0 {
			usual = unix.Umask(0)
		}
		if job.umask < 0 {
			unix.Umask(usual)
		} else {
			unix.Umask(job.umask)
		}
		pid, err := syscall.ForkExec(job.program, job.argv, job.attr)
		job.done <- forked{pid, err}
	}
}

// signalsBlocked reports whether the calling process was started with blocked
// signals.
func signalsBlocked() bool {
	mask, err := strconv.ParseUint(statusOf("self")["SigBlk"], 16, 64)
	return err == nil && mask != 0
}
