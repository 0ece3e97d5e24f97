package process

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tend/services"
)

// unreaped bounds the wait for somebody else to reap a process that is not our
// child. A pid 1 that never reaps leaves zombies.
const unreaped = 100 * time.Millisecond

// handle is one live process: a pidfd, verified to be the identity's.
type handle struct {
	services.Identity
	pidfd *os.File
	child bool // we started it ourselves
}

// newHandle wraps a pidfd so that its waiter parks on the poller of the
// runtime and costs no thread.
func newHandle(id services.Identity, fd int, child bool) (*handle, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &handle{Identity: id, pidfd: os.NewFile(uintptr(fd), "pidfd"), child: child}, nil
}

// openHandle opens a process that is alive and still has this identity. The
// pidfd comes first: from then on the pid cannot become another process
// unnoticed.
func openHandle(id services.Identity) (*handle, error) {
	fd, err := unix.PidfdOpen(id.PID, 0)
	if err != nil {
		return nil, err
	}
	if !living(id) {
		unix.Close(fd)
		return nil, unix.ESRCH
	}
	return newHandle(id, fd, false)
}

func (h *handle) close() { h.pidfd.Close() }

// signal sends to the process, or with group to its process group, which works
// even after the leader is gone.
func (h *handle) signal(sig syscall.Signal, group bool) error {
	raw, err := h.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		flags := 0
		if group {
			flags = unix.PIDFD_SIGNAL_PROCESS_GROUP
		}
		sent = unix.PidfdSendSignal(int(fd), sig, nil, flags)
		if group && errors.Is(sent, unix.EINVAL) { // before Linux 6.9
			sent = unix.Kill(-h.PID, sig)
		}
	})
	return errors.Join(err, sent)
}

// await blocks until the process has ended and returns how. reaped asks what
// the reaper has seen of a process that came back to us.
func (h *handle) await(exitInfo bool, reaped func(pid int) (syscall.WaitStatus, bool)) services.Exit {
	raw, err := h.pidfd.SyscallConn()
	if err != nil {
		return services.UnknownExit(time.Now())
	}
	var exit services.Exit
	done := false
	raw.Read(func(fd uintptr) bool {
		if !ended(int(fd)) {
			return false
		}
		exit, done = h.collect(int(fd), exitInfo, reaped)
		return true
	})
	if done {
		return exit
	}
	// It has ended but is not reaped yet: the pidfd has another edge then.
	h.pidfd.SetReadDeadline(time.Now().Add(unreaped))
	raw.Read(func(fd uintptr) bool {
		exit, done = h.collect(int(fd), exitInfo, reaped)
		return done
	})
	if !done {
		exit = h.ofZombie()
	}
	return exit
}

// ended reports whether the pidfd is readable.
func ended(fd int) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}

// collect asks for the exit status of a process that has ended; ok is false
// when it cannot be known yet.
func (h *handle) collect(fd int, exitInfo bool, reaped func(int) (syscall.WaitStatus, bool)) (services.Exit, bool) {
	now := time.Now()
	if ws, err := waitPidfd(fd); err == nil {
		return services.ExitFromStatus(ws, now), true
	}
	if ws, ok := reaped(h.PID); ok {
		return services.ExitFromStatus(ws, now), true
	}
	if exitInfo {
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		if err := unix.IoctlPidfdInfo(fd, &info); err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0 {
			return services.ExitFromStatus(syscall.WaitStatus(uint32(info.Exit_code)), now), true
		}
	}
	if _, ok := readStat(h.PID); !ok {
		return services.UnknownExit(now), true // reaped, and nobody can tell
	}
	return services.Exit{}, false
}

// siginfoChild is the part of siginfo_t that waitid fills in.
type siginfoChild struct {
	signo, errno, code int32
	_                  int32
	pid, uid, status   int32
	_                  [100]byte
}

// waitPidfd reaps our own child. The error is ECHILD where it is not ours.
func waitPidfd(fd int) (syscall.WaitStatus, error) {
	var info siginfoChild
	for {
		_, _, e := unix.Syscall6(unix.SYS_WAITID, unix.P_PIDFD, uintptr(fd), uintptr(unsafe.Pointer(&info)),
			unix.WEXITED|unix.WNOHANG|unix.WALL, 0, 0)
		switch {
		case e == unix.EINTR:
			continue
		case e != 0:
			return 0, e
		case info.pid == 0:
			return 0, unix.EAGAIN
		}
		break
	}
	const exited, dumped = 1, 3 // CLD_EXITED, CLD_DUMPED
	switch info.code {
	case exited:
		return syscall.WaitStatus(info.status&0xff) << 8, nil
	case dumped:
		return syscall.WaitStatus(info.status&0x7f | 0x80), nil
	}
	return syscall.WaitStatus(info.status & 0x7f), nil
}

// ofZombie reads the status of a process that nobody reaps. The kernel shows 0
// to those who may not look, so that a 0 is believed only where we may.
func (h *handle) ofZombie() services.Exit {
	now := time.Now()
	s, ok := readStat(h.PID)
	if !ok || s.Start != h.Start || !s.dead() || s.exit == 0 && !mayRead(h.PID) {
		return services.UnknownExit(now)
	}
	return services.ExitFromStatus(syscall.WaitStatus(s.exit), now)
}

// capSysPtrace is the number of the capability.
const capSysPtrace = 19

// mayRead reports whether the kernel tells us the truth about a zombie: either
// we may look at everybody, or it has our ids and no right that we lack.
func mayRead(pid int) bool {
	ours, theirs := statusOf("self"), statusOf(strconv.Itoa(pid))
	if ours == nil || theirs == nil {
		return false
	}
	effective, err := strconv.ParseUint(ours["CapEff"], 16, 64)
	if err == nil && effective&(1<<capSysPtrace) != 0 {
		return true
	}
	permitted, err := strconv.ParseUint(theirs["CapPrm"], 16, 64)
	return err == nil && permitted&^effective == 0 &&
		alike(theirs["Uid"], os.Getuid()) && alike(theirs["Gid"], os.Getgid())
}

func alike(ids string, want int) bool {
	for _, id := range strings.Fields(ids) {
		if id != strconv.Itoa(want) {
			return false
		}
	}
	return ids != ""
}

// statusOf reads /proc/PID/status.
func statusOf(pid string) map[string]string {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			out[key] = strings.TrimSpace(value)
		}
	}
	return out
}
