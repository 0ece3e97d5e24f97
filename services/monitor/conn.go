package monitor

import (
	"errors"

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
	port       int
	fd, family int // valid while pending
}

// dial begins. Where it ends at once, as nearly always, nothing is left open.
func (c *conn) dial() (state, error) {
	s, err := c.begin(unix.AF_INET)
	if s != refused {
		return s, err
	}
	s, err = c.begin(unix.AF_INET6)
	if s == broken && (errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.ENETUNREACH)) {
		return refused, nil // there is no IPv6
	}
	return s, err
}

func (c *conn) begin(family int) (s state, err error) {
	if c.fd, err = newSocket(family); err != nil {
		return broken, err
	}
	c.family = family
	// The first call says that it is under way also where it is made by then.
	if s, err = c.poll(); s == pending {
		s, err = c.poll()
	}
	if s != pending {
		c.close()
	}
	return s, err
}

// poll looks how far the connection is, or begins it.
func (c *conn) poll() (state, error) {
	switch err := connect(c.fd, c.family, c.port); {
	case err == nil, errors.Is(err, unix.EISCONN):
		return c.made(), nil
	case errors.Is(err, unix.EINPROGRESS), errors.Is(err, unix.EALREADY), errors.Is(err, unix.EINTR):
		return pending, nil
	default:
		return judge(err)
	}
}

// made looks at a connection that was made. Where nobody listens the kernel
// may by chance have chosen the very port as our own: then we have reached
// ourselves.
func (c *conn) made() state {
	if ownPort(c.fd) == c.port {
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

func (c *conn) close() { closeSocket(c.fd) }
