package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// spareName is a file that only holds room on the disk for the next state: a
// stop that is carried out while the disk is full must be known to the next
// manager, too, or it would bring the server back.
const spareName = fileName + ".spare"

// full reports whether there is no room for a file.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// provide sees to it that the spare has room for a file of the given size and
// for some growth. Where that fails there is none, as on a disk that is full
// already.
func (w *writer) provide(size int) {
	if size <= w.spare {
		return
	}
	w.spare = (2*size + 8<<10) &^ (4<<10 - 1)
	if err := replaceFile(w.dir, spareName, bytes.Repeat([]byte{'\n'}, w.spare), false); err != nil {
		w.spare = 0
	}
}

// squeeze writes the state into the spare and puts that in the place of the
// state.
func (w *writer) squeeze(content []byte) (err error) {
	if len(content) > w.spare {
		return fmt.Errorf("the spare has room for %d of %d bytes", w.spare, len(content))
	}
	w.spare = 0
	path := filepath.Join(w.dir, spareName)
	file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	if _, err = file.WriteAt(content, 0); err == nil {
		err = file.Truncate(int64(len(content)))
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path, filepath.Join(w.dir, fileName)); err != nil {
		return err
	}
	return syncDir(w.dir)
}
