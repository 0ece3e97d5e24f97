package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Holder returns the process that listens on a TCP port, on whatever address;
// false when nobody does, or when the kernel does not tell us who.
func (h *Host) Holder(port int) (services.Holder, bool, error) {
	if free(port) {
		return services.Holder{}, false, nil
	}
	inodes, err := listeners(port)
	if err != nil || len(inodes) == 0 {
		return services.Holder{}, false, err
	}
	// Of several that share the socket the oldest has made it.
	var best stat
	pids, err := processes()
	if err != nil {
		return services.Holder{}, false, err
	}
	for _, pid := range pids {
		s, err := readStat(pid)
		older := err == nil && (best.PID == 0 || s.Start < best.Start || s.Start == best.Start && pid < best.PID)
		if older && hasSocket(pid, inodes) {
			best = s
		}
	}
	if best.PID == 0 {
		return services.Holder{}, false, nil
	}
	return services.Holder{Identity: best.Identity, Command: commandLine(best.PID, h.hide)}, true, nil
}

// Command returns the command line of a process, empty when it is unknown.
func (h *Host) Command(pid int) string { return commandLine(pid, h.hide) }

// free reports whether a port can be bound to on every address, as it can while
// nobody listens: much sooner known than a list of all sockets. False where
// that may also have another reason.
func free(port int) bool {
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == unix.EAFNOSUPPORT {
			continue
		}
		if err != nil {
			return false
		}
		var any unix.Sockaddr = &unix.SockaddrInet4{Port: port}
		if family == unix.AF_INET6 {
			any = &unix.SockaddrInet6{Port: port}
			unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1) //nolint:errcheck // then the bind tells
		}
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) //nolint:errcheck // then the bind tells
		err = unix.Bind(fd, any)
		unix.Close(fd)
		if err != nil && err != unix.EADDRNOTAVAIL { // no IPv6 on this machine
			return false
		}
	}
	return true
}

// listeners returns the inodes of the sockets that listen on a port.
func listeners(port int) (map[string]bool, error) {
	inodes := map[string]bool{}
	want := fmt.Appendf(nil, ":%04X", port)
	err := eachSocket(func(row socketRow) {
		const listening = "0A"
		if string(row.state) == listening && bytes.HasSuffix(row.local, want) {
			inodes[string(row.inode)] = true
		}
	})
	return inodes, err
}

// socketRow is one line of /proc/net/tcp or tcp6.
type socketRow struct{ local, remote, state, uid, inode []byte }

// eachSocket walks the TCP sockets of this network namespace.
func eachSocket(see func(socketRow)) error {
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read the sockets: %w", err)
		}
		for line := range bytes.Lines(text) {
			if f := bytes.Fields(line); len(f) > 9 {
				see(socketRow{local: f[1], remote: f[2], state: f[3], uid: f[7], inode: f[9]})
			}
		}
	}
	return nil
}

// hasSocket reports whether a process has one of the sockets open.
func hasSocket(pid int, inodes map[string]bool) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		target, err := os.Readlink(dir + "/" + name)
		if err != nil {
			continue
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok && inodes[strings.TrimSuffix(inode, "]")] {
			return true
		}
	}
	return false
}
