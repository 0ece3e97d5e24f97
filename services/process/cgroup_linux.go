package process

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroups makes one cgroup v2 for each run below the manager's own. It needs
// no controller: membership, events and cgroup.kill are always there.
type cgroups struct {
	mount  string // of the cgroup2 file system
	base   string // tend-<instance> below the manager's own cgroup
	prefix string // tend-
}

const cgroupPrefix = "tend-"

// openCgroups finds the hierarchy and tries it. The error says why there is
// none to use.
func openCgroups(instance string) (*cgroups, error) {
	mount, err := cgroupMount()
	if err != nil {
		return nil, err
	}
	own, err := ownCgroup()
	if err != nil {
		return nil, err
	}
	c := &cgroups{mount: mount, base: filepath.Join(mount, own, cgroupPrefix+instance)}
	if err := os.Mkdir(c.base, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	c.delegate(filepath.Join(mount, own))
	probe := filepath.Join(c.base, "probe")
	if err := os.Mkdir(probe, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	defer os.Remove(probe)
	if _, err := os.ReadFile(filepath.Join(probe, "cgroup.events")); err != nil {
		return nil, err
	}
	return c, nil
}

// cgroupMount returns where a cgroup2 file system is mounted.
func cgroupMount() (string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(line, " - ")
		if !ok || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		if fields := strings.Fields(before); len(fields) > 4 {
			return fields[4], nil
		}
	}
	return "", errors.New("no cgroup2 file system is mounted")
}

// ownCgroup returns the manager's own path within the hierarchy.
func ownCgroup() (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSpace(path), nil
		}
	}
	return "", errors.New("the manager is in no cgroup v2")
}

// make creates the cgroup of a run.
func (c *cgroups) make(server, run string) (dir string, err error) {
	dir = filepath.Join(c.base, server+"."+run)
	err = os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrNotExist) { // somebody tidied up
		if err = os.Mkdir(c.base, 0o755); err == nil || errors.Is(err, fs.ErrExist) {
			err = os.Mkdir(dir, 0o755)
		}
	}
	return dir, err
}

// below reports whether a directory is somewhere in another one, by their names.
func below(dir, other string) bool {
	return len(dir) > len(other) && dir[len(other)] == '/' && dir[:len(other)] == other
}

// populated reports whether a process that is not a zombie lives in the cgroup
// or below it. A directory that is gone holds nobody.
func populated(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
	if err != nil {
		return !isGone(err) // whom we cannot see may be alive
	}
	return bytes.Contains(text, []byte("populated 1"))
}

// cgroupMembers appends the pids in the cgroup and below it, but for those of
// servers that a manager has started there.
func cgroupMembers(dir string, pids []int) []int {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return pids
	}
	for line := range strings.Lines(string(text)) {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && !ofManager(e.Name()) {
			pids = cgroupMembers(filepath.Join(dir, e.Name()), pids)
		}
	}
	return pids
}

// ofManager reports whether a cgroup below a run's is where a manager keeps its
// own servers.
func ofManager(name string) bool { return strings.HasPrefix(name, cgroupPrefix) }

// nested reports whether a manager has made cgroups below dir.
func nested(dir string) bool {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err == nil && st.Nlink == 2 { // none is below it
		return false
	}
	found := false
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && ofManager(e.Name()) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// killCgroup sends SIGKILL to everything in the cgroup at once. It reports
// false where the kernel cannot do that.
func killCgroup(dir string) bool {
	return os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0) == nil
}

// removeCgroup removes an empty cgroup with what the run made below it. It
// fails with EBUSY where a process is in it that is just dying: try again.
func removeCgroup(dir string) error {
	var dirs []string
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case e.IsDir() && ofManager(e.Name()):
			return fs.SkipDir
		case e.IsDir():
			dirs = append(dirs, path)
		}
		return nil
	})
	var failed error
	for _, dir := range slices.Backward(dirs) {
		if err := unix.Rmdir(dir); err != nil && !isGone(err) {
			failed = err
		}
	}
	return failed
}

// runsInCgroups finds the cgroups of this instance's runs anywhere in the
// hierarchy: an earlier manager may have lived in another cgroup.
func (c *cgroups) runsInCgroups(instance string) map[string]string {
	found := map[string]string{} // directory by "<server>.<run id>"
	filepath.WalkDir(c.mount, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return nil
		}
		if filepath.Base(filepath.Dir(path)) == cgroupPrefix+instance {
			if name := e.Name(); strings.Contains(name, ".") {
				found[name] = path
			}
			return fs.SkipDir
		}
		return nil
	})
	return found
}
