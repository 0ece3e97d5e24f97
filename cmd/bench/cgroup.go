//go:build linux

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// endCgroups ends what is left in the cgroups of a manager that could not do
// it itself, and removes them. data is the manager's data directory.
func endCgroups(data string) {
	instance, err := os.ReadFile(filepath.Join(data, "instance"))
	if err != nil {
		return
	}
	name := "tend-" + strings.TrimSpace(string(instance))
	if name == "tend-" {
		return
	}
	base := filepath.Join(cgroupHome(), name)
	os.WriteFile(filepath.Join(base, "cgroup.kill"), []byte("1"), 0) //nolint:errcheck // there may be none
	var dirs []string
	filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error { //nolint:errcheck // what is gone is gone
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for i := len(dirs) - 1; i >= 0; i-- {
		os.Remove(dirs[i]) //nolint:errcheck // what is not empty stays
	}
}

// cgroupHome is the directory of our own cgroup v2, in which the managers that
// we start make theirs; a path that does not exist where there is none.
func cgroupHome() string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	own, _ := os.ReadFile("/proc/self/cgroup")
	path := ""
	for line := range strings.Lines(string(own)) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			path = strings.TrimSpace(rest)
		}
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		if fields := strings.Fields(before); strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 {
			return filepath.Join(fields[4], path)
		}
	}
	return "/nowhere"
}
