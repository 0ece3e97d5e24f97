package monitor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// A connection to a server of this machine takes the kernel 20 to 60 µs and
// never blocks. Go's scheduler is not told of it: it would take such a call for
// one that blocks, give its place to another thread and wake that one, which
// takes more of the processor than the connection.

// newSocket makes a TCP socket that never blocks and that no server inherits.
func newSocket(family int) (int, error) {
	const kind = unix.SOCK_STREAM | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
	if family != unix.AF_INET { // the kernel may want to load a module first
		return unix.Socket(family, kind, 0)
	}
	fd, _, errno := unix.RawSyscall(unix.SYS_SOCKET, uintptr(family), kind, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// connect connects a socket to a port of this machine, or tells how that goes:
// unix.EINPROGRESS or EALREADY while it is under way, nil or EISCONN once it is
// made. What it says after it has said why it was not made is of a new
// connection.
func connect(fd, family, port int) error {
	var errno unix.Errno
	if family == unix.AF_INET {
		a := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}}
		*bytesOf(&a.Port) = [2]byte{byte(port >> 8), byte(port)}
		_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a))
	} else {
		a := unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: [16]byte{15: 1}}
		*bytesOf(&a.Port) = [2]byte{byte(port >> 8), byte(port)}
		_, _, errno = unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&a)), unsafe.Sizeof(a))
	}
	if errno != 0 {
		return errno
	}
	return nil
}

// ownPort returns the port at our end, 0 where it is not known.
func ownPort(fd int) int {
	var a unix.RawSockaddrInet6 // the port of the other family is at the same place
	size := uint32(unsafe.Sizeof(a))
	if _, _, errno := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&a)), uintptr(unsafe.Pointer(&size))); errno != 0 {
		return 0
	}
	port := bytesOf(&a.Port)
	return int(port[0])<<8 | int(port[1])
}

// bytesOf returns a port as the kernel has it: the higher byte first.
func bytesOf(port *uint16) *[2]byte { return (*[2]byte)(unsafe.Pointer(port)) }

func closeSocket(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) } //nolint:errcheck // nothing was written
