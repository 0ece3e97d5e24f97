package state

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keepAside is how many damaged files of one name are kept for a person to
// look at.
const keepAside = 5

// setAside renames a damaged file to <name>.corrupt-<time>, forgets the oldest
// of its kind, and returns the new name.
func setAside(dir, name string) (string, error) {
	prefix := name + ".corrupt-"
	aside := prefix + time.Now().UTC().Format("20060102T150405.000000Z")
	if err := os.Rename(filepath.Join(dir, name), filepath.Join(dir, aside)); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return aside, nil // it is only the tidying that fails
	}
	var old []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			old = append(old, e.Name())
		}
	}
	slices.Sort(old) // by time
	for len(old) > keepAside {
		os.Remove(filepath.Join(dir, old[0])) //nolint:errcheck // it is tried again with the next one
		old = old[1:]
	}
	return aside, nil
}

// putAside sets a damaged file aside and says so.
func putAside(dir, name string, why error) string {
	aside, err := setAside(dir, name)
	if err != nil {
		return fmt.Sprintf("%s cannot be used (%v) nor set aside (%v)", filepath.Join(dir, name), why, err)
	}
	return fmt.Sprintf("%s cannot be used (%v); it was set aside as %s", filepath.Join(dir, name), why, aside)
}
