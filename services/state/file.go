package state

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"tend/services/failpoint"
)

// largest is the size of the largest file that we read, in bytes: a hundred
// times what a thousand servers need.
const largest = 64 << 20

// unfitError says that something bears the name of a file but cannot be read
// as one.
type unfitError struct{ why string }

func (e *unfitError) Error() string { return e.why }

// readFile reads a regular file of reasonable size; an unfitError for anything
// else, so that a FIFO or a device of that name stops nobody.
func readFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &unfitError{"it is not a regular file"}
	case info.Size() > largest:
		return nil, &unfitError{fmt.Sprintf("it is larger than %d MB", largest>>20)}
	}
	return io.ReadAll(io.LimitReader(file, largest))
}

// replaceFile puts a new file in the place of an old one in one step. No one
// else can read it at any time. With sync it is on the disk on return.
func replaceFile(dir, name string, content []byte, sync bool) (err error) {
	path := filepath.Join(dir, name)
	temp := path + ".tmp"
	os.Remove(temp) //nolint:errcheck // of a manager that was killed; what is left shows below
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(temp) //nolint:errcheck // the first error is the one to report
		}
	}()
	if _, err = file.Write(content); err != nil {
		return err
	}
	if sync {
		if err = file.Sync(); err != nil {
			return err
		}
	}
	if err = file.Close(); err != nil {
		return err
	}
	failpoint.At("record-written")
	if err = os.Rename(temp, path); err != nil || !sync {
		return err
	}
	failpoint.At("record-renamed")
	return syncDir(dir)
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
