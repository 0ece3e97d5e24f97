package monitor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// tcpCheck is the check of an address by connections. Where it is one of this
// machine, whoever listens there has to belong to the run, and to accept: the
// kernel takes connections in the name of a server that hangs.
type tcpCheck struct {
	eyes    Eyes
	run     string
	address string

	here  netip.AddrPort // where it leads, if that is this machine
	mark  uint32         // the listener whose owner is known
	owned bool

	// The oldest of our connections that was not accepted at the last look. As
	// long as it waits no other one was: they are accepted in order.
	from    netip.AddrPort // its other end, invalid for none
	since   time.Time
	ignored int // looks at which it waited
}

// stuckTime is how long a server has accepted nothing, at least, that is taken
// for hung: one that is busy may take its time.
const stuckTime = 2 * time.Second

func (c *tcpCheck) try(ctx context.Context) error {
	c.lookBack()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return fmt.Errorf("%s: %s", c.address, reason(err))
	}
	here, from := ends(conn)
	if c.here = here; !c.from.IsValid() {
		c.from, c.since = from, time.Now()
	}
	why := c.trouble()
	if err := conn.Close(); err != nil {
		return err
	}
	if why != "" {
		return errors.New(why)
	}
	return nil
}

// lookBack looks what has become of the connection that waited.
func (c *tcpCheck) lookBack() {
	if !c.from.IsValid() {
		return
	}
	if s, known := socketAt(c.here, c.from); known && s != nil && s.waits() {
		c.ignored++
		return
	}
	c.from, c.ignored = netip.AddrPort{}, 0
}

// trouble says what is wrong though the connection was made, empty for nothing.
func (c *tcpCheck) trouble() string {
	if !c.here.IsValid() {
		return ""
	}
	l, known := socketAt(c.here, netip.AddrPort{})
	if !known || l == nil || !l.listens() {
		return ""
	}
	if c.mark != l.inode {
		c.mark, c.owned = l.inode, c.eyes.Owned == nil || c.eyes.Owned(c.run, []uint32{l.inode})
	}
	switch {
	case !c.owned:
		return fmt.Sprintf("port %d is not its own: another process listens there", c.here.Port())
	case c.ignored > 0 && len(c.eyes.halted(c.run)) > 0:
		return halt
	case c.ignored >= stuck && time.Since(c.since) >= stuckTime:
		return fmt.Sprintf("port %d takes connections, but it has accepted none for %s: %d wait", c.here.Port(), time.Since(c.since).Round(time.Second), l.waiting)
	}
	return ""
}

// ends returns both ends of a connection to this machine: the other one first.
func ends(c net.Conn) (to, from netip.AddrPort) {
	remote, ok1 := c.RemoteAddr().(*net.TCPAddr)
	local, ok2 := c.LocalAddr().(*net.TCPAddr)
	if !ok1 || !ok2 || !remote.IP.Equal(local.IP) && !remote.IP.IsLoopback() {
		return to, from
	}
	return remote.AddrPort(), local.AddrPort()
}
