package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// Owns reports whether the process belongs to a run of ours.
func (h *Host) Owns(pid int) bool {
	if h.cgroups != nil {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err == nil && strings.Contains(string(text), "/"+cgroupPrefix+h.instance+"/") {
			return true
		}
	}
	if m, _ := readMark(pid); m.instance != "" {
		return m.instance == h.instance
	}
	var t *table
	for _, p := range h.all() {
		run := p.Run()
		if run.Leader.PID == pid {
			return true
		}
		if run.Cgroup != "" {
			continue
		}
		if t == nil {
			t = h.scanner.look()
		}
		if slices.ContainsFunc(t.members(run), func(id services.Identity) bool { return id.PID == pid }) {
			return true
		}
	}
	return false
}

// KillForeign ends a process that is not ours: SIGTERM, after grace SIGKILL.
// Forbidden for pid 1, the manager, its ancestors and the processes of any run.
func (h *Host) KillForeign(ctx context.Context, holder services.Holder, grace time.Duration) error {
	refuse := func(why string) error {
		return services.Errorf(services.Forbidden, "pid %d (%s) is not ended: %s", holder.PID, holder.Command, why)
	}
	if holder.PID == 1 {
		return refuse("it is the first process of the machine")
	}
	if h.kin[holder.PID] {
		return refuse("it is the manager or one of its ancestors")
	}
	if h.Owns(holder.PID) {
		owner := "a server"
		if run, known := h.RunOf(holder.PID); known {
			owner = run.Server
		}
		return refuse("it is a process of " + owner + ": stop that")
	}
	p, err := openHandle(holder.Identity)
	if err != nil {
		return nil // gone already
	}
	defer p.close()
	if err := p.signal(syscall.SIGTERM, false); err != nil {
		if errors.Is(err, syscall.EPERM) {
			return refuse("it belongs to another user")
		}
		return ignoreGone(err)
	}
	bounded, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	p.awaitEnd(bounded)
	if !living(holder.Identity) {
		return nil
	}
	if err := p.signal(syscall.SIGKILL, false); err != nil {
		return ignoreGone(err)
	}
	bounded, cancel = context.WithTimeout(ctx, time.Second)
	defer cancel()
	p.awaitEnd(bounded)
	return nil
}
