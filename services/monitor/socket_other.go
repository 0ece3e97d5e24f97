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

// connect connects a socket to a port of this machine, or tells how that goes:
// unix.EINPROGRESS or EALREADY while it is under way, nil or EISCONN once it is
// made.
func connect(fd, family, port int) error {
	var to unix.Sockaddr = &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	if family == unix.AF_INET6 {
		to = &unix.SockaddrInet6{Port: port, Addr: [16]byte{15: 1}}
	}
	err := unix.Connect(fd, to)
	if code, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); code != 0 {
		return syscall.Errno(code) // why it was not made
	}
	return err
}

// ownPort returns the port at our end, 0 where it is not known.
func ownPort(fd int) int {
	own, err := unix.Getsockname(fd)
	if err != nil {
		return 0
	}
	switch a := own.(type) {
	case *unix.SockaddrInet4:
		return a.Port
	case *unix.SockaddrInet6:
		return a.Port
	}
	return 0
}

func closeSocket(fd int) { unix.Close(fd) } //nolint:errcheck // nothing was written
