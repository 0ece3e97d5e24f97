package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// tcpCheck is the check of an address by connections. Where it is one of this
// machine, whoever listens there has to belong to the run, and to accept what
// waits: the kernel takes connections in the name of a server that hangs.
type tcpCheck struct {
	eyes    Eyes
	address string
	here    netip.AddrPort // where it led, if that is this machine
	queue   queue
}

func (c *tcpCheck) try(ctx context.Context) error {
	known := c.here.IsValid()
	if known {
		c.look() // before a connection of our own waits there
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return fmt.Errorf("%s: %s", c.address, reason(err))
	}
	c.here = here(conn)
	if err := conn.Close(); err != nil {
		return err
	}
	if !known && c.here.IsValid() {
		c.look()
	}
	if c.queue.why != "" {
		return errors.New(c.queue.why)
	}
	return nil
}

// look looks who listens, and whether what waits is accepted.
func (c *tcpCheck) look() {
	c.queue.why = ""
	l, known := listenerAt(c.here)
	if known && l.mark != 0 { // else the connection itself tells
		c.queue.port = int(c.here.Port())
		c.queue.look(c.eyes, l)
	}
}

// here returns where a connection leads, if that is this machine.
func here(c net.Conn) netip.AddrPort {
	to, ok1 := c.RemoteAddr().(*net.TCPAddr)
	from, ok2 := c.LocalAddr().(*net.TCPAddr)
	if !ok1 || !ok2 || !to.IP.Equal(from.IP) && !to.IP.IsLoopback() {
		return netip.AddrPort{}
	}
	return to.AddrPort()
}
