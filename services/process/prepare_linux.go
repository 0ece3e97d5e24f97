package process

import (
	"context"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Prepare makes the program fit to start servers: descriptors that it
// inherited do not reach them, nor do signals that it was told to ignore, and
// processes whose parents end come back to it. Call it once, early in main.
func Prepare() {
	unix.CloseRange(3, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	ignored, err := strconv.ParseUint(statusOf("self")["SigIgn"], 16, 64)
	if err != nil {
		return
	}
	for n := 1; n <= 64; n++ {
		sig := syscall.Signal(n)
		if ignored&(1<<(n-1)) == 0 || sig == syscall.SIGKILL || sig == syscall.SIGSTOP {
			continue
		}
		if n >= 32 && n <= 34 { // kept by the C library: the runtime does not catch them
			defaultAction(n)
			continue
		}
		// What a handler catches is reset to the default in a child; what is
		// ignored stays so. Nobody reads the channel, so all are dropped.
		signal.Notify(make(chan os.Signal), sig)
	}
}

// defaultAction gives a signal its default action.
func defaultAction(signal int) {
	var action [4]uintptr // handler, flags, restorer, mask: all of them zero
	unix.Syscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}

// reapings is what the reaper has seen of processes that came back to us. It
// is package state because there is one main thread and one set of children,
// however many hosts a program opens.
var reapings = reapLog{seen: map[int]syscall.WaitStatus{}}

// reapLog keeps the last few statuses by pid.
type reapLog struct {
	mu    sync.Mutex // guards what follows
	seen  map[int]syscall.WaitStatus
	order []int
}

const reapingsKept = 1024

func (r *reapLog) add(pid int, ws syscall.WaitStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, again := r.seen[pid]; !again {
		r.order = append(r.order, pid)
	}
	r.seen[pid] = ws
	if len(r.order) > reapingsKept {
		delete(r.seen, r.order[0])
		r.order = r.order[1:]
	}
}

// take returns the status once: the pid may soon be another process's.
func (r *reapLog) take(pid int) (syscall.WaitStatus, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ws, ok := r.seen[pid]
	delete(r.seen, pid)
	return ws, ok
}

// reapPause lets the waiter of a server have the processor first.
const reapPause = 20 * time.Millisecond

// ReapForever reaps processes that came back to us until ctx ends. It must run
// on the main goroutine, locked to the main thread, which never forks: then
// __WNOTHREAD leaves the children of all other threads to their waiters.
func ReapForever(ctx context.Context) {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	defer signal.Stop(children)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-children:
			pause.Reset(reapPause)
			continue
		case <-pause.C:
		}
		for {
			var ws unix.WaitStatus
			pid, err := unix.Wait4(-1, &ws, unix.WNOHANG|unix.WNOTHREAD|unix.WALL, nil)
			if err == unix.EINTR {
				continue
			}
			if err != nil || pid <= 0 {
				break
			}
			reapings.add(pid, syscall.WaitStatus(ws))
		}
	}
}
