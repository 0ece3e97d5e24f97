package monitor

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// listListening marks each of the given ports on which somebody listens, at
// any address, with the sum of its sockets' inodes. It returns false where the
// kernel does not say. Sockets outside of the network namespace are not seen.
func listListening(ports map[int]uint64) bool {
	if !listFile("/proc/net/tcp", ports) {
		return false
	}
	listFile("/proc/net/tcp6", ports) // missing without IPv6
	return true
}

func listFile(path string, ports map[int]uint64) bool {
	file, err := os.Open(path)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist) && path == "/proc/net/tcp6"
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan() // the heading
	for lines.Scan() {
		port, inode, listens := parseSocket(lines.Bytes())
		if !listens {
			break // the kernel lists those that listen before all connections
		}
		if _, wanted := ports[port]; wanted {
			ports[port] += inode
		}
	}
	return lines.Err() == nil
}

// parseSocket reads a line of /proc/net/tcp or tcp6: number, local address,
// remote address, state, and, as the tenth field, the inode.
func parseSocket(line []byte) (port int, inode uint64, listens bool) {
	n := 0
	for field := range bytes.FieldsSeq(line) {
		switch n {
		case 1:
			_, digits, _ := bytes.Cut(field, []byte(":"))
			number, err := strconv.ParseUint(string(digits), 16, 16)
			if err != nil {
				return 0, 0, false
			}
			port = int(number)
		case 3:
			if string(field) != "0A" {
				return 0, 0, false
			}
		case 9:
			inode, err := strconv.ParseUint(string(field), 10, 64)
			return port, inode, err == nil
		}
		n++
	}
	return 0, 0, false
}
