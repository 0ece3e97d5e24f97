package services

import (
	"encoding/json"
	"time"
)

// Want is what the operator asked for.
type Want string

// The wants.
const (
	Up   Want = "up"
	Down Want = "down"
)

// Phase is what is.
type Phase string

// The phases.
const (
	Stopped  Phase = "stopped"  // down, as wanted
	Waiting  Phase = "waiting"  // for a dependency
	Starting Phase = "starting" // being spawned, or not ready yet
	Running  Phase = "running"
	Stopping Phase = "stopping" // asked to end; some process of it may be alive
	BackOff  Phase = "backoff"  // ended, will be started again at NextAttempt
	Failed   Phase = "failed"   // ended badly or cannot start; waits for a person
	Exited   Phase = "exited"   // ended well, and the policy leaves it so; or waits for its schedule
)

// Phases lists every phase once.
var Phases = []Phase{Stopped, Waiting, Starting, Running, Stopping, BackOff, Failed, Exited}

// OrphanKind says what an orphan is.
type OrphanKind string

// The kinds of orphans.
const (
	Foreign      OrphanKind = "foreign"      // somebody else's process holds the port of a server that is down
	Unconfigured OrphanKind = "unconfigured" // a run of ours whose server left the configuration
)

// Int is a number that is null in JSON where it is absent, that is 0.
type Int int

// Time is an instant in RFC 3339 with milliseconds, null where it is absent.
type Time struct{ time.Time }

// Status is all there is to know about a server at one instant. It is
// immutable once published; Rev only grows, also across managers.
type Status struct {
	ID            string      `json:"id"` // the name: both are in the contract
	Name          string      `json:"name"`
	Description   string      `json:"description"`
	Group         string      `json:"group"`
	Command       string      `json:"command"`
	DependsOn     []string    `json:"dependsOn"`
	NeededBy      []string    `json:"neededBy"` // names of servers that depend on it
	Until         Conditions  `json:"until"`    // of what it depends on
	Type          ServerType  `json:"type"`
	Schedule      string      `json:"schedule"` // in cron syntax, with its time zone where it has one, empty for none
	Phase         Phase       `json:"phase"`
	Want          Want        `json:"want"`
	Why           string      `json:"why"`     // one sentence: why it is in this phase
	Running       bool        `json:"running"` // a process is alive: ours, or the orphan
	Healthy       *bool       `json:"healthy"`
	LastCheck     Time        `json:"lastCheck"` // raises no Rev
	Run           string      `json:"run"`       // id of the present run, empty without one
	PID           Int         `json:"pid"`
	Port          Int         `json:"port"`
	StartedAt     Time        `json:"startedAt"`
	Restarts      int         `json:"restarts"`    // by policy, since the operator last started it
	Exit          *Exit       `json:"exit"`        // of the last run that ended
	NextAttempt   Time        `json:"nextAttempt"` // after a failure
	NextRun       Time        `json:"nextRun"`     // by the schedule
	CrashLoop     bool        `json:"crashLoop"`   // it has failed several times in a row
	Adopted       bool        `json:"adopted"`
	Tracking      *Tracking   `json:"tracking"`
	Drift         bool        `json:"drift"` // runs with another command than the file has now
	Recipe        string      `json:"-"`     // tells how the present run was started from other ways, empty without one
	Orphaned      bool        `json:"orphaned"`
	OrphanedPID   Int         `json:"orphanedPid"`
	OrphanKind    *OrphanKind `json:"orphanKind"`
	OrphanCommand string      `json:"orphanCommand"`
	Limits        string      `json:"limits"`     // which limits are in force for the run, and by what
	Notified      string      `json:"notified"`   // what the server says of itself by sd_notify
	CPU           *float64    `json:"cpu"`        // percent of a core
	Memory        *int64      `json:"memory"`     // bytes
	MemoryKind    MemoryKind  `json:"memoryKind"` // what Memory counts, empty where nothing runs
	Usage         *Sample     `json:"usage"`      // the newest sample, which CPU and Memory are of; raises no Rev
	Rev           uint64      `json:"rev"`
}

// MarshalJSON writes null for 0.
func (n Int) MarshalJSON() ([]byte, error) {
	if n == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int(n))
}

const stamp = "2006-01-02T15:04:05.000Z07:00"

// MarshalJSON writes null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.Format(stamp) + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Time{}
		return nil
	}
	return t.Time.UnmarshalJSON(b)
}

type exitJSON struct {
	Code   *int    `json:"code"`
	Signal *string `json:"signal"`
	Core   bool    `json:"core"`
	OOM    bool    `json:"oom"`
	Reason string  `json:"reason"`
	At     Time    `json:"at"`
	Seen   bool    `json:"seen"`
}

// MarshalJSON writes code and signal as null where they are absent.
func (e Exit) MarshalJSON() ([]byte, error) {
	out := exitJSON{Core: e.Core, OOM: e.OOM, Reason: e.Reason(), At: Time{e.At}, Seen: e.Seen}
	if e.Seen && e.Signal == 0 {
		out.Code = &e.Code
	}
	if e.Signal != 0 {
		name := SignalName(e.Signal)
		out.Signal = &name
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Exit) UnmarshalJSON(b []byte) error {
	var in exitJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*e = Exit{Code: -1, Core: in.Core, OOM: in.OOM, At: in.At.Time, Seen: in.Seen}
	if in.Code != nil {
		e.Code = *in.Code
	}
	if in.Signal != nil {
		sig, err := ParseSignal(*in.Signal)
		if err != nil {
			return err
		}
		e.Signal = sig
	}
	return nil
}
