package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"tend/services"
)

// controllers are those that limits and readings need.
const controllers = "+memory +cpu +pids"

// managerLeaf is the cgroup that the manager moves into where it may: a cgroup
// with processes of its own can have no controllers for those below it.
const managerLeaf = "tend"

// delegate asks for controllers in the cgroups of runs. Where they are not
// delegated, or others share the manager's cgroup, there are none: then limits
// are rlimits as far as there are such.
func (c *cgroups) delegate(own string) {
	enable := func(dir string) error { return writeFile(filepath.Join(dir, "cgroup.subtree_control"), controllers) }
	err := enable(own)
	if errors.Is(err, unix.EBUSY) && onlyWe(own) {
		leaf := filepath.Join(own, managerLeaf)
		if err = os.Mkdir(leaf, 0o755); err == nil || os.IsExist(err) {
			if err = writeFile(filepath.Join(leaf, "cgroup.procs"), strconv.Itoa(os.Getpid())); err == nil {
				err = enable(own)
			}
		}
	}
	if err == nil {
		enable(c.base) //nolint:errcheck // limit sees what is there
	}
}

// onlyWe reports whether the manager is alone in a cgroup.
func onlyWe(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	return err == nil && strings.TrimSpace(string(text)) == strconv.Itoa(os.Getpid())
}

// limit writes the limits of a server into the cgroup of a run and returns
// which are in force. High is where the kernel begins to slow the run down in
// order to take memory back.
func limit(dir string, l services.Limits) (in limited) {
	set := func(name, value string) bool { return writeFile(filepath.Join(dir, name), value) == nil }
	if l.Memory > 0 {
		in.memory = set("memory.max", strconv.FormatInt(l.Memory, 10))
		set("memory.high", strconv.FormatInt(l.Memory/10*9, 10))
	}
	if l.CPU > 0 {
		const period = 100_000 // µs
		in.cpu = set("cpu.max", fmt.Sprintf("%d %d", int64(l.CPU/100*period), period))
	}
	if l.PIDs > 0 {
		in.pids = set("pids.max", strconv.Itoa(l.PIDs))
	}
	return in
}

// limitsIn reads which limits a cgroup has in force.
func limitsIn(dir string) (in limited) {
	bounded := func(name string) bool {
		text, err := os.ReadFile(filepath.Join(dir, name))
		return err == nil && !strings.HasPrefix(string(text), "max")
	}
	if dir == "" {
		return in
	}
	return limited{memory: bounded("memory.max"), cpu: bounded("cpu.max"), pids: bounded("pids.max")}
}

// writeFile writes into a file that is there: one that is missing is not made.
func writeFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

// Limits says in words which limits of a server are in force for a run of it,
// and by what; empty where it has none.
func (h *Host) Limits(s services.Server, run services.Run) string {
	if s.Limits == (services.Limits{}) {
		return ""
	}
	return inForce(s.Limits, limitsIn(run.Cgroup))
}

// outOfMemory knows whether the kernel has ended a process for lack of memory.
type outOfMemory struct{ seen int64 } // how many it had ended when last asked

// newOutOfMemory begins to count.
func newOutOfMemory() *outOfMemory { return &outOfMemory{oomKills("/proc/vmstat", "oom_kill ")} }

// ended reports whether a run that ended with SIGKILL, not sent by us, was
// ended for lack of memory: its cgroup says so, or else the kernel has ended
// somebody for that since it was asked last.
func (o *outOfMemory) ended(cgroup string) bool {
	now := oomKills("/proc/vmstat", "oom_kill ")
	more := now > o.seen
	o.seen = now
	if cgroup != "" {
		if in := oomKills(filepath.Join(cgroup, "memory.events"), "oom_kill "); in >= 0 {
			return in > 0
		}
	}
	return more
}

func (h *Host) outOfMemory(cgroup string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.oom.ended(cgroup)
}

// oomKills reads a counter, -1 where there is none.
func oomKills(path, name string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return -1
}
