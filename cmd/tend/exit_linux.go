package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lastWrites is how long a manager that has closed its doors may take to write
// down the rest and go.
const lastWrites = 10 * time.Second

// awaitExit returns when a process has ended.
func awaitExit(ctx context.Context, pid int) error {
	if pid <= 0 || pid == os.Getpid() {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil //nolint:nilerr // it is gone, or not to be seen from here
	}
	ctx, cancel := context.WithTimeout(ctx, lastWrites)
	defer cancel()
	process := os.NewFile(uintptr(fd), "pidfd")
	defer process.Close()
	defer context.AfterFunc(ctx, func() { process.SetReadDeadline(time.Now()) })() //nolint:errcheck // a pidfd has deadlines
	raw, err := process.SyscallConn()
	if err != nil {
		return fmt.Errorf("watch pid %d: %w", pid, err)
	}
	err = raw.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
	if err != nil {
		return fmt.Errorf("the manager answers no more, but pid %d has not ended yet", pid)
	}
	return nil
}
