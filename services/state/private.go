package state

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// Private is another small file of the data directory, for its owner alone. It
// is always replaced as a whole. One goroutine at a time may use it.
type Private struct {
	Dir, Name string
}

// Read returns what is in the file, nil where there is none.
func (p Private) Read() ([]byte, error) {
	data, err := readFile(filepath.Join(p.Dir, p.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// Write replaces the file. It is on the disk when this returns.
func (p Private) Write(data []byte) error { return replaceFile(p.Dir, p.Name, data, true) }

// SetAside renames the file, which cannot be used, and says so in a sentence.
func (p Private) SetAside(why error) string { return putAside(p.Dir, p.Name, why) }
