package monitor

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// What linux/inet_diag.h and linux/sock_diag.h say.
const (
	sockDiagByFamily = 20
	established      = 1  // TCP_ESTABLISHED
	closeWait        = 8  // TCP_CLOSE_WAIT
	listenState      = 10 // TCP_LISTEN
	listening        = 1 << listenState
	requestSize      = unix.NLMSG_HDRLEN + 56
	answerSize       = 72 // without attributes
	stateAt          = 1
	portAt, inodeAt  = 4, 68
	waitingAt        = 56 // connections that nobody has accepted yet
)

// listListening fills in who listens on each of the given ports, at any
// address. It returns false where the kernel does not say. Only this network
// namespace is seen.
//
// The kernel is asked for the sockets that listen, and for nothing else:
// /proc/net/tcp would make it walk through all connections of the machine.
func listListening(ports map[int]*listener) bool {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return false
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written that could be lost
	buf := make([]byte, 32<<10)
	return dump(fd, unix.AF_INET, buf, ports) && dump(fd, unix.AF_INET6, buf, ports)
}

// endpoint is one socket of this machine as the kernel tells of it.
type endpoint struct {
	state   byte
	inode   uint32 // 0 where no process has it: a connection that was not accepted yet
	waiting int    // of a listener: connections that it has not accepted
}

func (e endpoint) listens() bool { return e.state == listenState }

// waits reports whether it is a connection that nobody has accepted.
func (e endpoint) waits() bool {
	return e.inode == 0 && (e.state == established || e.state == closeWait)
}

// socketAt returns the socket at an address of this machine that is connected
// with another one, or the one that listens where there is none. It is nil for
// nobody, and known is false where the kernel does not say. To ask for one
// costs the same however many there are.
func socketAt(here, there netip.AddrPort) (s *endpoint, known bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written that could be lost
	family := byte(unix.AF_INET6)
	if here.Addr().Unmap().Is4() {
		family = unix.AF_INET
	}
	req := newRequest(family, unix.NLM_F_REQUEST)
	id := req[unix.NLMSG_HDRLEN+8:]
	binary.BigEndian.PutUint16(id, here.Port())
	binary.BigEndian.PutUint16(id[2:], there.Port())
	copy(id[4:20], here.Addr().Unmap().AsSlice())
	copy(id[20:36], there.Addr().Unmap().AsSlice())
	binary.NativeEndian.PutUint64(id[40:], ^uint64(0)) // any cookie
	if err := unix.Sendto(fd, req[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, false
	}
	var buf [1024]byte
	n, _, err := unix.Recvfrom(fd, buf[:], 0)
	if err != nil {
		return nil, false
	}
	kind, data, _, whole := cutMessage(buf[:n])
	switch {
	case whole && kind == unix.NLMSG_ERROR && len(data) >= 4:
		return nil, int32(binary.NativeEndian.Uint32(data)) == -int32(unix.ENOENT)
	case !whole || kind != sockDiagByFamily || len(data) < answerSize:
		return nil, false
	}
	return &endpoint{
		state: data[stateAt], inode: binary.NativeEndian.Uint32(data[inodeAt:]), waiting: int(binary.NativeEndian.Uint32(data[waitingAt:])),
	}, true
}

// cutMessage takes the first message off what was received. The package
// syscall would list all of them first: a hundred kilobytes for a thousand.
func cutMessage(b []byte) (kind uint16, data, after []byte, whole bool) {
	if len(b) < unix.NLMSG_HDRLEN {
		return 0, nil, nil, false
	}
	size := int(binary.NativeEndian.Uint32(b))
	if size < unix.NLMSG_HDRLEN || size > len(b) {
		return 0, nil, nil, false
	}
	end := (size + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
	return binary.NativeEndian.Uint16(b[4:]), b[unix.NLMSG_HDRLEN:size], b[min(end, len(b)):], true
}

func newRequest(family byte, flags uint16) (req [requestSize]byte) {
	binary.NativeEndian.PutUint32(req[0:], requestSize)
	binary.NativeEndian.PutUint16(req[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(req[6:], flags)
	body := req[unix.NLMSG_HDRLEN:]
	body[0], body[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], listening)
	return req
}

// dump adds the sockets of one address family.
func dump(fd int, family byte, buf []byte, ports map[int]*listener) bool {
	req := newRequest(family, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(fd, req[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false
	}
	for { // the answer is there already: it does not block
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return false
		}
		for rest := buf[:n]; len(rest) > 0; {
			kind, data, after, whole := cutMessage(rest)
			switch {
			case !whole, kind == unix.NLMSG_ERROR:
				return false
			case kind == unix.NLMSG_DONE:
				return true
			}
			rest = after
			if kind != sockDiagByFamily || len(data) < answerSize {
				continue
			}
			if l := ports[int(binary.BigEndian.Uint16(data[portAt:]))]; l != nil {
				inode := binary.NativeEndian.Uint32(data[inodeAt:])
				l.mark += uint64(inode)
				l.inodes = append(l.inodes, inode)
				l.waiting += int(binary.NativeEndian.Uint32(data[waitingAt:]))
			}
		}
	}
}
