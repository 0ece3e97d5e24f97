package state

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// place is where a directory is. The numbers tell it from its copies, the path
// is where to look for it again.
type place struct {
	device, inode uint64
	path          string // absolute, without symbolic links
}

// placeOf returns where a directory is, the zero place where that cannot be
// found out.
func placeOf(dir string) place {
	path, err := filepath.Abs(dir)
	if err != nil {
		return place{}
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return place{}
	}
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return place{}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return place{}
	}
	return place{device: uint64(st.Dev), inode: uint64(st.Ino), path: path}
}

func (p place) known() bool { return p != place{} }

// is reports whether both are the same directory, wherever it was moved to.
func (p place) is(q place) bool { return p.device == q.device && p.inode == q.inode }

const placeForm = "device %d, inode %d, path %q"

func (p place) String() string { return fmt.Sprintf(placeForm, p.device, p.inode, p.path) }

// parsePlace reads what String writes; the zero place for anything else.
func parsePlace(text string) place {
	var p place
	if _, err := fmt.Sscanf(text, placeForm, &p.device, &p.inode, &p.path); err != nil || !filepath.IsAbs(p.path) {
		return place{}
	}
	return p
}
