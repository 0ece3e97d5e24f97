//go:build !linux

package monitor

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// newSocket makes a TCP socket that never blocks and that no server inherits.
func newSocket(family int) (int, error) {
	syscall.ForkLock.RLock() // no fork between the two calls
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd) //nolint:errcheck // the first error is the one to return
		return -1, err
	}
	return fd, nil
}
