package monitor

import "golang.org/x/sys/unix"

// newSocket makes a TCP socket that never blocks and that no server inherits.
func newSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}
