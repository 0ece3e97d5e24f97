package process

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

var stateWords = map[string]string{"R": "running", "S": "sleeping", "I": "sleeping", "D": "waiting", "T": "stopped", "t": "stopped", "Z": "zombie", "X": "zombie"}

// List returns the processes of a live run, the main process first, then by
// pid; none for a run that has ended.
func (h *Host) List(id string) []services.TreeProcess {
	run, live := h.run(id)
	if !live {
		return nil
	}
	members, _ := h.members(run)
	if !slices.Contains(members, run.Leader) {
		members = append(members, run.Leader)
	}
	var since unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &since) != nil {
		return nil
	}
	boot := time.Now().Add(-time.Duration(since.Nano()))
	var out []services.TreeProcess
	for _, member := range members {
		if p, ok := describe(member, boot, h.hide); ok {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b services.TreeProcess) int {
		if first := run.Leader.PID; (a.PID == first) != (b.PID == first) {
			if a.PID == first {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.PID, b.PID)
	})
	return out
}

// Signal sends a signal to one process of a live run, and to no other: what has
// its pid by now, and is not of the run, is left alone. NotFound, Forbidden.
func (h *Host) Signal(id string, pid int, sig syscall.Signal) error {
	gone := services.Errorf(services.NotFound, "pid %d is not a process of this server any more: look at the list again", pid)
	run, live := h.run(id)
	if !live {
		return gone
	}
	members, _ := h.members(run)
	members = append(members, run.Leader)
	i := slices.IndexFunc(members, func(member services.Identity) bool { return member.PID == pid })
	if i < 0 {
		return gone
	}
	one, err := openHandle(members[i])
	if err != nil {
		return gone
	}
	defer one.close()
	err = one.signal(sig, false)
	switch {
	case errors.Is(err, unix.ESRCH):
		return gone
	case errors.Is(err, unix.EPERM):
		return services.Errorf(services.Forbidden, "pid %d belongs to another user: tend may not send it signals", pid)
	}
	return err
}

// describe reads one process, if it still is that one.
func describe(id services.Identity, boot time.Time, hide func(string) string) (p services.TreeProcess, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(id.PID) + "/stat")
	if err != nil {
		return p, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 22 {
		return p, false
	}
	number := func(field int) int64 { // as numbered in proc(5)
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	if uint64(number(22)) != id.Start {
		return p, false
	}
	return services.TreeProcess{
		PID: id.PID, Parent: int(number(4)), Command: commandLine(id.PID, hide), State: stateWords[fields[0]],
		StartedAt: services.Time{Time: boot.Add(time.Duration(number(22)) * time.Second / clockTicks)},
		CPU:       float64(number(14)+number(15)) / clockTicks,
		Memory:    services.Amount(number(24) * int64(os.Getpagesize())), Threads: services.Amount(number(20)),
	}, true
}
