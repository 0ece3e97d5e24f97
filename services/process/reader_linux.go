package process

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reader reads many small files of the kernel into one buffer: what it returns
// is good until the next call. Its names are made of parts and a pid, so that a
// pass over thousands of processes leaves nothing for the garbage collector.
type reader struct {
	dir  int    // that names are relative to
	path string // of dir with a slash at the end, where names are given with it
	name []byte
	buf  []byte
}

func newReader() *reader {
	return &reader{dir: unix.AT_FDCWD, name: make([]byte, 0, 256), buf: make([]byte, 16<<10)}
}

// enter opens the directory for the names of a pass. leave has to follow.
func (r *reader) enter(dir string) (err error) {
	r.dir, err = unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		r.dir = unix.AT_FDCWD
		return err
	}
	r.path = dir + "/"
	return nil
}

func (r *reader) leave() {
	if r.path != "" {
		unix.Close(r.dir)
	}
	r.dir, r.path = unix.AT_FDCWD, ""
}

// process names a file of a process, in dir.
func (r *reader) process(pid int, file string) {
	r.name = append(strconv.AppendInt(r.name[:0], int64(pid), 10), '/')
	r.name = append(append(r.name, file...), 0)
}

// in names a file in a directory.
func (r *reader) in(dir, file string) {
	if r.path != "" {
		dir = strings.TrimPrefix(dir, r.path) // the kernel has fewer steps to go
	}
	r.name = append(append(r.name[:0], dir...), '/')
	r.name = append(append(r.name, file...), 0)
}

func (r *reader) open(flags int) (int, error) {
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(r.dir), uintptr(unsafe.Pointer(&r.name[0])),
		uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// first reads what one read of the named file yields: all of it, for files
// that are made in one piece.
func (r *reader) first() ([]byte, error) {
	fd, err := r.open(unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	n, err := unix.Read(fd, r.buf)
	unix.Close(fd)
	return r.buf[:max(n, 0)], err
}

// all reads the named file to its end.
func (r *reader) all() ([]byte, error) {
	fd, err := r.open(unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for end := 0; ; {
		if end == len(r.buf) {
			r.buf = append(r.buf, make([]byte, len(r.buf))...)
		}
		n, err := unix.Read(fd, r.buf[end:])
		if n <= 0 {
			return r.buf[:end], err
		}
		end += n
	}
}

// status tells of the named file without opening it.
func (r *reader) status() (st unix.Stat_t, err error) {
	_, _, errno := unix.Syscall6(unix.SYS_NEWFSTATAT, uintptr(r.dir), uintptr(unsafe.Pointer(&r.name[0])),
		uintptr(unsafe.Pointer(&st)), 0, 0, 0)
	if errno != 0 {
		return st, errno
	}
	return st, nil
}

// pids appends the numbers among the entries of the named directory: with
// /proc the processes, with /proc/PID/fd the open descriptors.
func (r *reader) pids(out []int) ([]int, error) {
	fd, err := r.open(unix.O_RDONLY | unix.O_DIRECTORY)
	if err != nil {
		return out, err
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Getdents(fd, r.buf)
		if n <= 0 {
			return out, err
		}
		// Field by field: the last entry is shorter than the type, which a
		// pointer to it must not be.
		const length, begin = unsafe.Offsetof(unix.Dirent{}.Reclen), unsafe.Offsetof(unix.Dirent{}.Name)
		for rest := r.buf[:n]; len(rest) > 0; {
			entry := rest[:binary.NativeEndian.Uint16(rest[length:])]
			name := entry[begin:]
			name = name[:bytes.IndexByte(name, 0)]
			if pid, ok := decimal(name); ok {
				out = append(out, pid)
			}
			rest = rest[len(entry):]
		}
	}
}

// decimal reads a name that is a number.
func decimal(text []byte) (n int, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(text) > 0
}

// valueOf returns the number that follows a key at the beginning of a line, as
// in cpu.stat and /proc/PID/io; false where there is no such line.
func valueOf(text []byte, key string) (int64, bool) {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok && len(rest) > 0 && rest[0] == ' ' {
			n, ok := decimal(bytes.TrimSpace(rest))
			return int64(n), ok
		}
	}
	return 0, false
}
