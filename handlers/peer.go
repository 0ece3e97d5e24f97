package handlers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"strconv"
)

// nobody is what the kernel calls users that it has no number for in our
// namespace: that is no user in particular, even where it is ours.
const nobody = 65534

// peer is what the kernel says of the other end of a connection.
type peer struct {
	socket   bool // it came by the unix socket
	known    bool // whose process it is
	uid      uint32
	loopback bool // both ends are addresses of this machine alone
}

// ours reports whether the other end is surely a process of the manager's own
// user, or of root.
func (p peer) ours() bool {
	return p.known && (p.uid == 0 || int64(p.uid) == int64(os.Geteuid()) && p.uid != nobody)
}

// ConnContext asks the kernel, when a connection is accepted, who is at its
// other end; for http.Server.ConnContext. owner does it for TCP (see
// process.SocketOwner); nil where nobody can tell.
func ConnContext(owner func(*net.TCPConn) (uid uint32, known bool)) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, c net.Conn) context.Context {
		for {
			wrapped, ok := c.(interface{ NetConn() net.Conn })
			if !ok {
				break
			}
			c = wrapped.NetConn()
		}
		var p peer
		switch c := c.(type) {
		case *net.UnixConn:
			p.socket = true
			p.uid, p.known = socketPeer(c)
		case *net.TCPConn:
			p.loopback = loopback(c.LocalAddr()) && loopback(c.RemoteAddr())
			if owner != nil {
				p.uid, p.known = owner(c)
			}
		}
		return context.WithValue(ctx, keyPeer, p)
	}
}

func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func peerOf(r *http.Request) peer {
	p, _ := r.Context().Value(keyPeer).(peer)
	return p
}

func onSocket(r *http.Request) bool { return peerOf(r).socket }

// named is the user at the other end, with a space before it; nothing where
// the kernel does not tell.
func (p peer) named() string {
	if !p.known {
		return ""
	}
	id := strconv.FormatUint(uint64(p.uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return fmt.Sprintf(" %s (uid %s)", u.Username, id)
	}
	return " uid " + id
}
