package process

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"tend/services"
)

// process returns a live run by its id, nil where there is none.
func (h *Host) process(id string) *Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.live[id]
}

func (h *Host) run(id string) (services.Run, bool) {
	p := h.process(id)
	if p == nil {
		return services.Run{}, false
	}
	return p.Run(), true
}

// OwnsSocket reports whether a process of a run has one of the sockets open,
// true also where we may not look.
func (h *Host) OwnsSocket(id string, inodes []uint32) bool {
	run, live := h.run(id)
	if !live {
		return true // it has just ended
	}
	wanted := make(map[string]bool, len(inodes))
	for _, inode := range inodes {
		wanted[strconv.FormatUint(uint64(inode), 10)] = true
	}
	if hasSocket(run.Leader.PID, wanted) {
		return true
	}
	members, sure := h.members(run)
	for _, member := range members {
		if hasSocket(member.PID, wanted) || hidden(member.PID) {
			return true
		}
	}
	return !sure || hidden(run.Leader.PID)
}

// hidden reports whether we may not see what a process has open.
func hidden(pid int) bool {
	_, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/fd")
	return os.IsPermission(err)
}

// Halted returns those of the runs whose main process is stopped by a signal.
// One that a debugger holds is not.
func (h *Host) Halted(runs ...string) (halted []string) {
	calm := len(runs) > 1 && noChildHalted()
	if calm && h.allOurs() {
		return nil
	}
	for _, id := range runs {
		p := h.process(id)
		if p == nil {
			continue
		}
		p.mu.Lock()
		leader := p.leader
		p.mu.Unlock()
		if leader != nil && !(calm && leader.child) && leader.halted() {
			halted = append(halted, id)
		}
	}
	return halted
}

// noChildHalted asks the kernel for all children at once.
func noChildHalted() bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0
}
