package logs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// nativeWay is untried: what the file system can do is found by trying.
const nativeWay = untried

// onFile calls f with the descriptor, again while a signal interrupts it.
func onFile(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		for inner = f(int(fd)); errors.Is(inner, unix.EINTR); inner = f(int(fd)) {
		}
	})
	return errors.Join(err, inner)
}

// punchHole frees the n bytes at off; they read as zero, the size stays.
func punchHole(file *os.File, off, n int64) error {
	return onFile(file, func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	})
}

// collapseRange removes the first n bytes of the file.
func collapseRange(file *os.File, n int64) error {
	return onFile(file, func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_COLLAPSE_RANGE, 0, n)
	})
}

// writeBack has the disk get what was written to the file, which the file system
// else does later, and may wait until it has.
func writeBack(file *os.File, wait bool) {
	flags := unix.SYNC_FILE_RANGE_WRITE
	if wait {
		flags |= unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	}
	_ = onFile(file, func(fd int) error { return unix.SyncFileRange(fd, 0, 0, flags) }) // nothing depends on it
}

// dataStart returns where the hole at the head of the file ends, 0 without one.
func dataStart(file *os.File) (off int64) {
	err := onFile(file, func(fd int) (err error) {
		off, err = unix.Seek(fd, 0, unix.SEEK_DATA)
		return err
	})
	if errors.Is(err, unix.ENXIO) { // nothing but a hole
		if info, err := file.Stat(); err == nil {
			return info.Size()
		}
	}
	if err != nil {
		return 0
	}
	return off
}

// blockSize is what heads are multiples of.
func blockSize(file *os.File) int64 {
	var st unix.Statfs_t
	err := onFile(file, func(fd int) error { return unix.Fstatfs(fd, &st) })
	if err != nil || st.Bsize < 512 {
		return 4096
	}
	return st.Bsize
}

// freeSpace is what the disk has left for us, and has in all, in bytes.
func freeSpace(dir string) (free, total uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}
