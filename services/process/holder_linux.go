package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"tend/services"
)

// Holder returns the process that listens on a TCP port, on whatever address;
// false when nobody does, or when the kernel does not tell us who.
func (h *Host) Holder(port int) (services.Holder, bool, error) {
	inodes, err := listeners(port)
	if err != nil || len(inodes) == 0 {
		return services.Holder{}, false, err
	}
	// Of several that share the socket the oldest has made it.
	var best stat
	for _, pid := range processes() {
		s, ok := readStat(pid)
		older := ok && (best.PID == 0 || s.Start < best.Start || s.Start == best.Start && pid < best.PID)
		if older && hasSocket(pid, inodes) {
			best = s
		}
	}
	if best.PID == 0 {
		return services.Holder{}, false, nil
	}
	return services.Holder{Identity: best.Identity, Command: commandLine(best.PID)}, true, nil
}

// listeners returns the inodes of the sockets that listen on a port.
func listeners(port int) (map[string]bool, error) {
	inodes := map[string]bool{}
	want := fmt.Appendf(nil, ":%04X", port)
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the listening sockets: %w", err)
		}
		for line := range bytes.Lines(text) {
			fields := bytes.Fields(line)
			const listening = "0A"
			if len(fields) > 9 && string(fields[3]) == listening && bytes.HasSuffix(fields[1], want) {
				inodes[string(fields[9])] = true
			}
		}
	}
	return inodes, nil
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
