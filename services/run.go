package services

import (
	"fmt"
	"syscall"
	"time"
)

// Identity tells one process from every other that this boot of the machine
// has seen: pid and start time together are never used twice.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since boot, field 22 of /proc/PID/stat
}

// Run is one incarnation of a server: everything a later manager needs to
// know in order to find its processes again.
type Run struct {
	ID        string     `json:"id"` // random
	Server    string     `json:"server"`
	Boot      string     `json:"boot"` // the kernel's boot id: no process survives another one
	Leader    Identity   `json:"leader"`
	Members   []Identity `json:"members,omitempty"` // descendants seen, kept only where no cgroup holds them
	Cgroup    string     `json:"cgroup,omitempty"`  // absolute directory
	StartedAt time.Time  `json:"startedAt"`
	Digest    string     `json:"digest"`           // of the command as it was configured, to notice drift
	Output    string     `json:"output,omitempty"` // where its output begins, kept only where a check reads it

	// Forks says that a daemon goes on for the main process, once that has
	// ended: an earlier run with this command did so, and this one has not yet.
	Forks bool `json:"forks,omitempty"`
}

// Tracking is how surely the processes of a run are known, best first.
type Tracking string

// The tiers of attribution.
const (
	TrackCgroup   Tracking = "cgroup"   // complete: the kernel keeps the list
	TrackRecorded Tracking = "recorded" // identities that were seen and written down
	TrackGroup    Tracking = "group"    // parent, session and process group
	TrackMark     Tracking = "mark"     // the mark in the environment
)

// Exit is how a run ended. Code and Signal are both absent when nobody saw it.
type Exit struct {
	Code   int            // -1 unless the process exited by itself
	Signal syscall.Signal // 0 unless a signal ended it
	Core   bool
	OOM    bool      // the kernel ended it, or a process of it, for lack of memory
	At     time.Time // when it was noticed
	Seen   bool      // false: the status is unknown
}

// ExitFromStatus turns a wait status into an Exit.
func ExitFromStatus(ws syscall.WaitStatus, at time.Time) Exit {
	e := Exit{Code: -1, At: at, Seen: true}
	switch {
	case ws.Exited():
		e.Code = ws.ExitStatus()
	case ws.Signaled():
		e.Signal, e.Core = ws.Signal(), ws.CoreDump()
	}
	return e
}

// UnknownExit is the exit of a run whose end nobody saw.
func UnknownExit(at time.Time) Exit { return Exit{Code: -1, At: at} }

// Reason says in a few words how the run ended.
func (e Exit) Reason() string {
	switch {
	case !e.Seen:
		return "ended unseen, exit status unknown"
	case e.Signal != 0 && e.OOM:
		return fmt.Sprintf("killed by %s: out of memory", SignalName(e.Signal))
	case e.OOM:
		return fmt.Sprintf("exited with code %d after one of its processes ran out of memory", e.Code)
	case e.Signal != 0 && e.Core:
		return fmt.Sprintf("killed by %s (core dumped)", SignalName(e.Signal))
	case e.Signal != 0:
		return fmt.Sprintf("killed by %s", SignalName(e.Signal))
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// Clean reports whether the exit counts as a success.
func (s Success) Clean(e Exit) bool {
	if !e.Seen {
		return false
	}
	if e.Signal != 0 {
		for _, sig := range s.Signals {
			if sig == e.Signal {
				return true
			}
		}
		return false
	}
	for _, code := range s.Codes {
		if code == e.Code {
			return true
		}
	}
	return e.Code == 0
}

// Holder is the process that listens on a port.
type Holder struct {
	Identity
	Command string // its command line, bounded
}
