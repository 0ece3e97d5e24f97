package logs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// sidecar is what <server>.log.meta keeps: where the addresses of the file
// are. Without one, a log is in its first generation and has all its bytes.
//
// Every step that changes a file is announced here first, so that the next
// manager can tell whether it happened when this one died in the middle.
type sidecar struct {
	segment
	Old        *segment `json:"old,omitempty"` // in <server>.log.1
	Collapsing bool     `json:"collapsing,omitempty"`
	Rotating   bool     `json:"rotating,omitempty"`
}

// save replaces the sidecar at once. No fsync: a rename survives the death of
// the manager, and what is wrong after a loss of power is seen by Head.
func (c sidecar) save(path string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	temp := path + ".new"
	err = os.WriteFile(temp, text, 0o600)
	if errors.Is(err, syscall.ENOSPC) {
		err = c.squeeze(path, text)
		_ = os.Remove(temp) // an empty leftover, if it is there at all
		return err
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// squeeze writes over the old sidecar where it is: the disk is full, and this
// very record is what has to be written before any of it can be freed.
func (c sidecar) squeeze(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s on a full disk: %w", path, err)
	}
	defer f.Close()
	for len(text) < 512 { // one block, and always longer than what it replaces
		text = append(text, ' ')
	}
	if _, err = f.WriteAt(text, 0); err == nil {
		err = f.Truncate(int64(len(text)))
	}
	if err != nil {
		return fmt.Errorf("writing %s on a full disk: %w", path, err)
	}
	return nil
}

// loadSidecar returns false where there is none, and an error where it cannot
// be understood.
func loadSidecar(path string) (sidecar, bool, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return sidecar{}, false, nil
	}
	var c sidecar
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err == nil && (c.Gen == 0 || c.Base < 0 || c.Start < 0) {
		err = errors.New("it has impossible numbers")
	}
	if err != nil {
		return sidecar{}, false, fmt.Errorf("reading %s: %w", path, err)
	}
	return c, true, nil
}
