package process

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"tend/services"
)

// unreaped bounds the wait for somebody else to reap a process that is not our
// child. A pid 1 that never reaps leaves zombies.
const unreaped = 100 * time.Millisecond

// witness is who can tell how a process ended that we cannot wait for.
type witness struct {
	reaped func(services.Identity) (syscall.WaitStatus, bool) // our reaper, of what came back to us
	info   bool                                               // the pidfd, once somebody has reaped it
}

// await returns how a process has ended; ok is false when the wait for that
// was broken off by ctx.
func (h *handle) await(ctx context.Context, w witness) (exit services.Exit, ok bool) {
	known := false
	collect := func(fd int) bool {
		exit, known = h.collect(fd, w)
		return known
	}
	h.with(func(fd int) error { collect(fd); return nil }) //nolint:errcheck // only the watch closes it
	if known {
		return exit, true
	}
	if h.death != nil {
		if ws, ok := h.death.await(unreaped); ok {
			return services.ExitFromStatus(ws, time.Now()), true
		}
	}
	// It is a zombie that we may not look at: the pidfd has another edge when
	// somebody reaps it.
	short, cancel := context.WithTimeout(ctx, unreaped)
	defer cancel()
	h.park(short, collect)
	if !known {
		exit = services.UnknownExit(time.Now())
	}
	return exit, known || ctx.Err() == nil
}

// collect asks for the exit status of a process that has ended; ok is false
// when it may be known later.
func (h *handle) collect(fd int, w witness) (exit services.Exit, ok bool) {
	now := time.Now()
	if ws, err := waitPidfd(fd); err == nil {
		return services.ExitFromStatus(ws, now), true
	}
	if ws, ok := w.reaped(h.Identity); ok {
		return services.ExitFromStatus(ws, now), true
	}
	if w.info {
		info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
		if err := unix.IoctlPidfdInfo(fd, &info); err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0 {
			return services.ExitFromStatus(syscall.WaitStatus(uint32(info.Exit_code)), now), true
		}
	}
	s, err := readStat(h.PID)
	there := err == nil
	switch {
	case there && s.Start == h.Start && !s.dead():
		return services.Exit{}, false // its last thread is about to end
	case there && s.Start == h.Start && (s.exit != 0 || mayLook(h.PID)):
		return services.ExitFromStatus(syscall.WaitStatus(s.exit), now), true
	case there && s.Start == h.Start, err != nil && !isGone(err):
		return services.Exit{}, false
	}
	// It has been reaped, perhaps by ourselves just now.
	if ws, ok := w.reaped(h.Identity); ok {
		return services.ExitFromStatus(ws, now), true
	}
	if h.death != nil {
		return services.Exit{}, false
	}
	return services.UnknownExit(now), true
}

// tellsExits reports whether pidfds tell how a process has ended that is not
// our child, as all do since Linux 6.15. Only the version says so before one
// ends; that a sandbox lets us ask is tried. To let a thread of ours end for a
// trial would hand the children that it forked to the main thread's reaper.
func tellsExits() bool {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return false
	}
	var major, minor int
	fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor) //nolint:errcheck // then it is 0.0
	if major < 6 || major == 6 && minor < 15 {
		return false
	}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.IoctlPidfdInfo(fd, &unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}) == nil
}

// mayLook reports whether the kernel shows us the true status of a zombie, and
// not 0 in place of every status. The same check stands before the link to its
// program, which a zombie has no more: to those who may look it is missing, to
// the others it is denied. Comparing ids and capabilities would not do: a
// process that has changed its user is hidden from that very user.
func mayLook(pid int) bool {
	_, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return os.IsNotExist(err)
}

// siginfoChild is the part of siginfo_t that waitid fills in.
type siginfoChild struct {
	signo, errno, code int32
	_                  int32
	pid, uid, status   int32
	_                  [100]byte
}

// waitid waits without blocking. A pid of 0 means that nobody has ended.
func waitid(idtype, id, flags int) (siginfoChild, error) {
	var info siginfoChild
	for {
		_, _, e := unix.Syscall6(unix.SYS_WAITID, uintptr(idtype), uintptr(id), uintptr(unsafe.Pointer(&info)),
			uintptr(unix.WEXITED|unix.WNOHANG|unix.WALL|flags), 0, 0)
		switch e {
		case 0:
			return info, nil
		case unix.EINTR:
		default:
			return info, e
		}
	}
}

// waitPidfd reaps our own child. The error is ECHILD where it is not ours.
func waitPidfd(fd int) (syscall.WaitStatus, error) {
	info, err := waitid(unix.P_PIDFD, fd, 0)
	switch {
	case err != nil:
		return 0, err
	case info.pid == 0:
		return 0, unix.EAGAIN
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
