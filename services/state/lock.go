package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// lockPace is the time between two attempts to take a lock that is held. A
// flock can be waited for or be given a deadline, but not both.
const lockPace = 10 * time.Millisecond

// Lock is the right to be the manager of a data directory. It ends with
// Release or with the process. A child that was forked but has not yet
// executed its program holds it too: while the lock is free there is none.
type Lock struct{ file *os.File }

// TakeLock takes the lock of a data directory, which has to exist. Where it is
// held it waits, but no longer than wait. The error is of kind Conflict when
// it is still held then, and names the holder and the directory; Unavailable where the
// directory cannot be written.
func TakeLock(dir string, wait time.Duration) (*Lock, error) {
	path := lockPath(dir)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	for end := time.Now().Add(wait); ; {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			break
		}
		left := time.Until(end)
		if left <= 0 {
			err = held(file, dir)
			file.Close()
			return nil, err
		}
		<-time.After(min(lockPace, left))
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	sign(file, strconv.Itoa(os.Getpid())+"\n")
	return &Lock{file: file}, nil
}

// unwritable says that nothing can be kept in a directory, and what to do.
func unwritable(dir string, err error) error {
	return &services.Error{
		Kind: services.Unavailable, Err: err,
		Msg: "the data directory " + dir + " cannot be written: let tend write there, or choose another one with --data",
	}
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// KeepLock makes a Lock of the open file of one that was handed over, by the
// program that this process was before. It reports false, and leaves the file
// alone, where that is not the lock of this data directory.
func KeepLock(dir string, file *os.File) (*Lock, bool) {
	given, err := file.Stat()
	if err != nil {
		return nil, false
	}
	there, err := os.Lstat(lockPath(dir))
	if err != nil || !os.SameFile(given, there) {
		return nil, false
	}
	// Whoever holds it may lock it again.
	if syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, false
	}
	return &Lock{file: file}, true
}

// File is what to hand over, for KeepLock.
func (l *Lock) File() *os.File { return l.file }

// Release gives the lock back. A second call does nothing.
func (l *Lock) Release() {
	sign(l.file, "")
	l.file.Close()
}

// sign replaces the content of the lock file. It may fail, on a full disk for
// example: the content is for people, the lock is what counts.
func sign(file *os.File, text string) {
	if file.Truncate(0) == nil {
		file.WriteAt([]byte(text), 0) //nolint:errcheck // see above
	}
}

// held says who has the lock.
func held(file *os.File, dir string) error {
	content, _ := io.ReadAll(io.NewSectionReader(file, 0, 32))
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	switch {
	case err != nil || pid <= 0:
		return services.Errorf(services.Conflict, "the data directory %s is in use by another tend", dir)
	case errors.Is(syscall.Kill(pid, 0), syscall.ESRCH):
		return services.Errorf(services.Conflict,
			"the data directory %s is in use: its tend (pid %d) has ended, but a process that it left behind still holds the lock", dir, pid)
	}
	return services.Errorf(services.Conflict, "the data directory %s is in use by another tend (pid %d)", dir, pid)
}
