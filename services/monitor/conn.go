package monitor

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// state is how far a connection has come.
type state int

const (
	pending state = iota
	reached
	refused
	broken // the trouble is on our side
)

// conn is an attempt to connect to a local port, first by IPv4, then by IPv6.
// It never blocks. A connection that was made is closed at once and in order:
// one that is cut off makes some servers complain in their logs each time.
//
// It speaks to the kernel itself: net.Dialer takes half as much again of the
// processor, and it blocks, so that each connection would need a goroutine.
type conn struct {
	port int
	fd   int // valid while pending
}

// dial begins. Where it ends at once, as nearly always, nothing is left open.
func (c *conn) dial() (state, error) {
	s, err := c.connect(unix.AF_INET, &unix.SockaddrInet4{Port: c.port, Addr: [4]byte{127, 0, 0, 1}})
	if s != refused {
		return s, err
	}
	s, err = c.connect(unix.AF_INET6, &unix.SockaddrInet6{Port: c.port, Addr: [16]byte{15: 1}})
	if s == broken && (errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENETUNREACH)) {
		return refused, nil // there is no IPv6
	}
	return s, err
}

func (c *conn) connect(family int, to unix.Sockaddr) (state, error) {
	fd, err := newSocket(family)
	if err != nil {
		return broken, err
	}
	c.fd = fd
	var s state
	switch err = unix.Connect(fd, to); {
	case err == nil:
		s = c.made()
	case errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR):
		s, err = c.poll()
	default:
		s, err = judge(err)
	}
	if s != pending {
		c.close()
	}
	return s, err
}

// poll looks how far the connection is.
func (c *conn) poll() (state, error) {
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 0)
	switch {
	case errors.Is(err, unix.EINTR) || err == nil && n == 0:
		return pending, nil
	case err != nil:
		return broken, err
	}
	code, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return broken, err
	case code != 0:
		return judge(syscall.Errno(code))
	}
	return c.made(), nil
}

// made looks at a connection that was made. Where nobody listens the kernel
// may by chance have chosen the very port as our own: then we have reached
// ourselves.
func (c *conn) made() state {
	own, err := unix.Getsockname(c.fd)
	if err != nil {
		return reached
	}
	port := 0
	switch a := own.(type) {
	case *unix.SockaddrInet4:
		port = a.Port
	case *unix.SockaddrInet6:
		port = a.Port
	}
	if port == c.port {
		return refused
	}
	return reached
}

// judge says what an error means for the server.
func judge(err error) (state, error) {
	switch {
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.ECONNABORTED):
		return refused, nil
	case errors.Is(err, unix.ETIMEDOUT):
		return pending, nil // for longer than anybody waits
	}
	return broken, err
}

func (c *conn) close() { unix.Close(c.fd) } //nolint:errcheck // nothing was written
