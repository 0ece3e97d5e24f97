package process

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const established = 1 // TCP_ESTABLISHED

// SocketOwner returns the user of the process at the other end of a TCP
// connection, where that is a process of this machine and network namespace.
// Call it when the connection was accepted. Not known is also the owner of a
// connection whose other end was closed, shut down or handed on meanwhile: the
// kernel then shows root as the user of a socket that nobody has.
func SocketOwner(conn *net.TCPConn) (uid uint32, known bool) {
	client, ok := conn.RemoteAddr().(*net.TCPAddr)
	server, ok2 := conn.LocalAddr().(*net.TCPAddr)
	if !ok || !ok2 {
		return 0, false
	}
	socket, found, told := askOwner(client.AddrPort(), server.AddrPort())
	if !told {
		socket, found = readOwner(client.AddrPort(), server.AddrPort())
	}
	// Our own end is looked at last: while it is whole, no other socket can have
	// had the addresses of its other end.
	if !found || !socket.live() || !whole(conn) {
		return 0, false
	}
	return socket.uid, true
}

// clientSocket is what the kernel says of the other end.
type clientSocket struct {
	state byte
	uid   uint32
	inode uint64
}

// live: a socket that no process has open shows uid 0 and inode 0.
func (s clientSocket) live() bool { return s.state == established && s.inode != 0 }

// whole reports whether our end of a connection has heard nothing of an end.
func whole(conn *net.TCPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	is := false
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		is = err == nil && info.State == established
	})
	return err == nil && is
}

// What linux/inet_diag.h and linux/sock_diag.h say.
const (
	sockDiagByFamily = 20
	diagRequest      = unix.NLMSG_HDRLEN + 56
	diagAnswer       = 72 // without attributes
	diagUID          = 64
	diagInode        = 68
)

// askOwner asks the kernel for the one socket that has these addresses. told
// is false where it does not answer such questions.
func askOwner(client, server netip.AddrPort) (s clientSocket, found, told bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return s, false, false
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, diagRequestFor(client, server), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return s, false, false
	}
	var buf [4096]byte
	n, _, err := unix.Recvfrom(fd, buf[:], unix.MSG_DONTWAIT) // the answer is there already
	if err != nil {
		return s, false, false
	}
	messages, err := syscall.ParseNetlinkMessage(buf[:n])
	if err != nil || len(messages) == 0 {
		return s, false, false
	}
	m := messages[0]
	switch {
	case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
		return s, false, syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data))) == unix.ENOENT
	case m.Header.Type != sockDiagByFamily || len(m.Data) < diagAnswer:
		return s, false, false
	}
	from, to := diagAddresses(m.Data)
	if from != plain(client) || to != plain(server) {
		return s, false, true
	}
	return clientSocket{
		state: m.Data[1], uid: binary.NativeEndian.Uint32(m.Data[diagUID:]), inode: uint64(binary.NativeEndian.Uint32(m.Data[diagInode:])),
	}, true, true
}

// plain is an address without the dress of IPv6 and without a zone.
func plain(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// diagRequestFor asks for the socket of the client, whose own address is then
// the local one.
func diagRequestFor(client, server netip.AddrPort) []byte {
	req := make([]byte, diagRequest)
	binary.NativeEndian.PutUint32(req[0:], diagRequest)
	binary.NativeEndian.PutUint16(req[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST)
	body := req[unix.NLMSG_HDRLEN:]
	from, to := plain(client), plain(server)
	body[0], body[1] = unix.AF_INET6, unix.IPPROTO_TCP
	if from.Addr().Is4() {
		body[0] = unix.AF_INET
	}
	binary.NativeEndian.PutUint32(body[4:], 1<<established)
	binary.BigEndian.PutUint16(body[8:], from.Port())
	binary.BigEndian.PutUint16(body[10:], to.Port())
	copy(body[12:28], from.Addr().AsSlice())
	copy(body[28:44], to.Addr().AsSlice())
	for i := 48; i < 56; i++ {
		body[i] = 0xff // whatever its cookie
	}
	return req
}

// diagAddresses reads the addresses of an answer.
func diagAddresses(data []byte) (from, to netip.AddrPort) {
	size := 16
	if data[0] == unix.AF_INET {
		size = 4
	}
	read := func(port, address int) netip.AddrPort {
		ip, _ := netip.AddrFromSlice(data[address : address+size])
		return plain(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(data[port:])))
	}
	return read(4, 8), read(6, 24)
}

// readOwner looks for the same in the kernel's tables of all sockets. A client
// that speaks IPv4 by a socket of IPv6 is in the second of them only.
func readOwner(client, server netip.AddrPort) (s clientSocket, found bool) {
	eachSocket(func(row socketRow) { //nolint:errcheck // what cannot be read tells nothing
		if from, ok := procAddress(row.local); !ok || from != plain(client) {
			return
		}
		if to, ok := procAddress(row.remote); !ok || to != plain(server) {
			return
		}
		state, err1 := strconv.ParseUint(string(row.state), 16, 8)
		uid, err2 := strconv.ParseUint(string(row.uid), 10, 32)
		inode, err3 := strconv.ParseUint(string(row.inode), 10, 64)
		if err1 == nil && err2 == nil && err3 == nil {
			s, found = clientSocket{byte(state), uint32(uid), inode}, true
		}
	})
	return s, found
}

// procAddress reads an address of /proc/net/tcp: words of 32 bits as the
// machine has them, and a port.
func procAddress(text []byte) (a netip.AddrPort, ok bool) {
	address, port, ok := bytes.Cut(text, []byte(":"))
	if !ok {
		return a, false
	}
	raw, err := hex.AppendDecode(nil, address)
	if err != nil || len(raw) != 4 && len(raw) != 16 {
		return a, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	n, err := strconv.ParseUint(string(port), 16, 16)
	ip, _ := netip.AddrFromSlice(raw)
	return plain(netip.AddrPortFrom(ip, uint16(n))), err == nil
}
