package history

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keepAside is how many files that were set aside are kept: they can be large.
const keepAside = 2

const asideMark = ".corrupt-"

// setAside renames a file and what lies beside it, forgets the oldest of its
// kind, and returns the new name.
func setAside(path string) (string, error) {
	aside := path + asideMark + time.Now().UTC().Format("20060102T150405.000000Z")
	for _, side := range sides { // first: the file is the mark that there is something to set aside
		if err := os.Rename(path+side, aside+side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	forgetAside(path)
	return filepath.Base(aside), nil
}

// forgetAside removes all but the newest. What fails is tried again with the
// next one.
func forgetAside(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+asideMark) && !slices.ContainsFunc(sides[:], func(side string) bool { return strings.HasSuffix(e.Name(), side) }) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names) // by time
	for len(names) > keepAside {
		old := filepath.Join(filepath.Dir(path), names[0])
		for _, side := range append([]string{""}, sides[:]...) {
			os.Remove(old + side) //nolint:errcheck // see above
		}
		names = names[1:]
	}
}
