package process

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// watcher tells when processes end. All their pidfds are in one epoll set,
// which itself is on the runtime's poller: a thousand processes cost one
// goroutine and no thread.
type watcher struct {
	set *os.File

	mu    sync.Mutex // guards what follows
	next  uint64
	tells map[uint64]func()
}

func newWatcher() (*watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a set of processes to watch: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that the poller takes it
		unix.Close(fd)
		return nil, fmt.Errorf("make a set of processes to watch: %w", err)
	}
	return &watcher{set: os.NewFile(uintptr(fd), "epoll"), tells: map[uint64]func(){}}, nil
}

// add has tell called once when the process has ended, on the watcher's
// goroutine, which it must not keep.
func (w *watcher) add(h *handle, tell func()) error {
	w.mu.Lock()
	w.next++
	key := w.next
	w.tells[key] = tell
	w.mu.Unlock()
	raw, err := w.set.SyscallConn()
	if err != nil {
		return err
	}
	err = h.with(func(pidfd int) error {
		var failed error
		event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(key), Pad: int32(key >> 32)}
		err := raw.Control(func(set uintptr) { failed = unix.EpollCtl(int(set), unix.EPOLL_CTL_ADD, pidfd, &event) })
		if err != nil {
			return err
		}
		return failed
	})
	if err != nil {
		w.take(key)
		return fmt.Errorf("watch pid %d: %w", h.PID, err)
	}
	return nil
}

func (w *watcher) take(key uint64) func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	tell := w.tells[key]
	delete(w.tells, key)
	return tell
}

// run tells until ctx ends.
func (w *watcher) run(ctx context.Context) {
	defer w.set.Close()
	stop := context.AfterFunc(ctx, func() { w.set.SetReadDeadline(time.Unix(1, 0)) }) //nolint:errcheck // an epoll set has deadlines
	defer stop()
	raw, err := w.set.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 64)
	raw.Read(func(set uintptr) bool { //nolint:errcheck // it ends by its deadline
		for {
			n, err := unix.EpollWait(int(set), events, 0)
			if err == unix.EINTR {
				continue
			}
			if n <= 0 {
				return false // to be called again when there is more
			}
			for _, e := range events[:n] {
				if tell := w.take(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32); tell != nil {
					tell()
				}
			}
		}
	})
}
