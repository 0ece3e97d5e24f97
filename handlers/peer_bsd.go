//go:build darwin || freebsd

package handlers

import (
	"net"

	"golang.org/x/sys/unix"
)

// socketPeer returns the user of the process at the other end of a unix socket.
func socketPeer(c *net.UnixConn) (uid uint32, ok bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	const level = 0 // SOL_LOCAL
	err = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptXucred(int(fd), level, unix.LOCAL_PEERCRED)
		if err == nil {
			uid, ok = cred.Uid, true
		}
	})
	return uid, ok && err == nil
}
