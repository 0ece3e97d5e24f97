package process

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// handle is one process: a pidfd, verified to be the identity's.
type handle struct {
	services.Identity
	child bool   // we started it ourselves
	death *death // what the connector tells of it; nil where nobody listens

	mu sync.Mutex // guards what follows, and is held while the kernel is given fd
	fd int        // -1 once it is closed
}

// openHandle opens a process that is alive and still has this identity. The
// pidfd comes first: from then on the pid cannot become another process
// unnoticed. noRoom tells about the error: then it may be alive.
func openHandle(id services.Identity) (*handle, error) {
	fd, err := unix.PidfdOpen(id.PID, 0)
	if err != nil {
		return nil, err
	}
	s, err := readStat(id.PID)
	if err == nil && (s.Start != id.Start || s.dead()) {
		err = unix.ESRCH
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &handle{Identity: id, fd: fd}, nil
}

func (h *handle) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fd >= 0 {
		unix.Close(h.fd)
	}
	h.fd = -1
}

// with calls f with the pidfd, which stays open meanwhile.
func (h *handle) with(f func(fd int) error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fd < 0 {
		return os.ErrClosed
	}
	return f(h.fd)
}

// signal sends to the process, or with group to its process group, which works
// even after the leader is gone.
func (h *handle) signal(sig syscall.Signal, group bool) error {
	return h.with(func(fd int) error {
		flags := 0
		if group {
			flags = unix.PIDFD_SIGNAL_PROCESS_GROUP
		}
		err := unix.PidfdSendSignal(fd, sig, nil, flags)
		if group && errors.Is(err, unix.EINVAL) { // before Linux 6.9
			err = unix.Kill(-h.PID, sig)
		}
		return err
	})
}

// halted reports whether the process is stopped by a signal. Of a child the
// kernel says so in one call, and leaves the news to whoever waits for it.
func (h *handle) halted() bool {
	if h.child {
		var info unix.Siginfo
		err := h.with(func(fd int) error {
			return unix.Waitid(unix.P_PIDFD, fd, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
		})
		return err == nil && info.Signo != 0
	}
	s, err := readStat(h.PID)
	return err == nil && s.Start == h.Start && s.state == 'T'
}

// park blocks until done returns true, which is asked first now and then
// whenever the process ends or is reaped. It is false when ctx ended first.
// The waiter costs a goroutine but no thread.
func (h *handle) park(ctx context.Context, done func(fd int) bool) bool {
	copied := -1
	err := h.with(func(fd int) (err error) {
		copied, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		return err
	})
	if err != nil {
		return false
	}
	if err := unix.SetNonblock(copied, true); err != nil {
		unix.Close(copied)
		return false
	}
	file := os.NewFile(uintptr(copied), "pidfd")
	defer file.Close()
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	stop := context.AfterFunc(ctx, func() { file.SetReadDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a pidfd has deadlines
	defer stop()
	return raw.Read(func(fd uintptr) bool { return done(int(fd)) }) == nil
}

// awaitEnd blocks until the process has ended or ctx has.
func (h *handle) awaitEnd(ctx context.Context) { h.park(ctx, ended) }

// ended reports whether the pidfd is readable.
func ended(fd int) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}
