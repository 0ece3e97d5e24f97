package process

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// reapings is what the reaper has seen of processes that came back to us. It
// is package state because there is one main thread and one set of children,
// however many hosts a program opens.
var reapings = reapLog{seen: map[services.Identity]syscall.WaitStatus{}}

// reapLog keeps the last few statuses, by identity: a pid alone may have been
// another process's.
type reapLog struct {
	mu    sync.Mutex // guards what follows
	seen  map[services.Identity]syscall.WaitStatus
	order []services.Identity
}

const reapingsKept = 1024

func (r *reapLog) add(id services.Identity, ws syscall.WaitStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[id] = ws
	r.order = append(r.order, id)
	if len(r.order) > reapingsKept {
		delete(r.seen, r.order[0])
		r.order = r.order[1:]
	}
}

func (r *reapLog) status(id services.Identity) (syscall.WaitStatus, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ws, ok := r.seen[id]
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
	due := true // the timer runs: a stream of signals does not put it off
	for {
		select {
		case <-ctx.Done():
			return
		case <-children:
			if !due {
				due = true
				pause.Reset(reapPause)
			}
		case <-pause.C:
			due = false
			reap()
		}
	}
}

// reap looks at each ended process before it lets it go, so that its status is
// kept with its identity.
func reap() {
	for {
		info, err := waitid(unix.P_ALL, 0, unix.WNOWAIT|unix.WNOTHREAD)
		if err != nil || info.pid == 0 {
			return
		}
		s, unknown := readStat(int(info.pid))
		var ws unix.WaitStatus
		pid, err := unix.Wait4(int(info.pid), &ws, unix.WNOHANG|unix.WNOTHREAD|unix.WALL, nil)
		if err == nil && pid == int(info.pid) && unknown == nil {
			reapings.add(s.Identity, syscall.WaitStatus(ws))
		}
	}
}
