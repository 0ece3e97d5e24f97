package services

import (
	"regexp"
	"syscall"
	"time"
)

// Server is what the user configured: a name and a command, with every
// default filled in. It is a value that nobody changes after it was read.
type Server struct {
	Name        string
	Description string
	Group       string

	Command Command
	Dir     string            // absolute
	Env     map[string]string // wins over EnvFile, which wins over the manager's own environment
	EnvFile string            // absolute, empty for none; read at each start
	Secrets map[string]Secret // variables whose values are not in the configuration; win over Env
	User    string            // name or uid, empty for the manager's own
	Umask   int               // -1 keeps the manager's own
	Limits  Limits

	Port      int // TCP port that the server listens on, 0 for none
	DependsOn []Dependency
	Autostart bool
	Type      ServerType
	Schedule  Schedule // of a task; zero for none

	Restart RestartPolicy
	Success Success
	Backoff Backoff
	Stop    StopPolicy
	Logs    LogPolicy

	Ready      *Probe // gates running, and whoever depends on it; nil for none
	Live       *Probe // acts when it fails; nil for none
	Watchdog   Pulse  // it has to say WATCHDOG=1 this often
	Silence    Pulse  // it has to write something this often
	Thresholds []Threshold
}

// Command is what a server runs: a list as it is, or one line for /bin/sh.
type Command struct {
	Argv  []string // empty when Shell is set
	Shell string   // run as /bin/sh -c Shell
}

// List returns the argument vector that is executed.
func (c Command) List() []string {
	if c.Shell != "" {
		return []string{"/bin/sh", "-c", c.Shell}
	}
	return c.Argv
}

// Secret says where the value of a variable comes from. It is a reference and
// never holds the value, so it may be compared, digested and shown. Exactly one
// of File and Command is set. The value is read at each start of the server.
type Secret struct {
	File    string   `json:"file,omitempty"`    // absolute
	Shared  bool     `json:"shared,omitempty"`  // others may read the file, and that is meant so
	Command []string `json:"command,omitempty"` // run as the manager's user; it writes the value
	Dir     string   `json:"dir,omitempty"`     // absolute; where Command runs
}

// Limits bound what the processes of a server may use. Zero keeps what the
// manager has.
type Limits struct {
	Memory int64   // bytes
	CPU    float64 // percent of a core: 200 is two cores
	PIDs   int     // processes and threads
	NoFile uint64  // open files of a process
	Nice   int     // added to the manager's own, -20 to 19
}

// ServerType says whether a server is meant to end.
type ServerType string

// The types.
const (
	Service ServerType = "server" // runs until it is stopped
	Task    ServerType = "task"   // runs to completion
)

// Schedule says when a task runs by itself.
type Schedule struct {
	Cron    string // five fields, or six with the seconds first; empty for never
	Zone    string // IANA name of the time zone, empty for the machine's
	Overlap Overlap
}

// String is the schedule as people read it.
func (s Schedule) String() string {
	if s.Zone == "" {
		return s.Cron
	}
	return s.Cron + " in " + s.Zone
}

// Overlap says what becomes of a time of the schedule at which the task still
// runs.
type Overlap string

// The overlap policies.
const (
	OverlapSkip  Overlap = "skip"  // nothing
	OverlapQueue Overlap = "queue" // it runs again as soon as it has ended; one time waits at most
	OverlapKill  Overlap = "kill"  // it is stopped and started again
)

// Dependency is a server that another one needs.
type Dependency struct {
	Name     string
	Until    Condition  // of it has to be true before the other one starts
	WhenLost LostAction // what becomes of the other one when its run ends
}

// Condition is what a dependency has to have reached.
type Condition string

// The conditions.
const (
	UntilStarted   Condition = "started"   // it runs
	UntilReady     Condition = "ready"     // it runs and its ready check, or else its port, answers
	UntilCompleted Condition = "completed" // it is a task that has ended well
)

// Conditions are what dependencies have to have reached, by their names, where
// that is not UntilReady. Nil for none.
type Conditions map[string]Condition

// LostAction is what becomes of a server when the run of one that it depends
// on ends, for whatever reason.
type LostAction string

// The lost actions.
const (
	LostNothing LostAction = "nothing"
	LostRestart LostAction = "restart" // stopped, and started again once it is there again
	LostStop    LostAction = "stop"    // stopped, until somebody starts it
)

// ReadyDeadline is how long a run may take to become ready, 0 for ever.
func (s Server) ReadyDeadline() time.Duration {
	if s.Ready == nil {
		return 0
	}
	return s.Ready.Deadline
}

// DependOn returns plain dependencies: until they are ready, and nothing when
// they are lost.
func DependOn(names ...string) []Dependency {
	out := make([]Dependency, len(names))
	for i, name := range names {
		out[i] = Dependency{Name: name, Until: UntilReady, WhenLost: LostNothing}
	}
	return out
}

// Needs returns the names of what the server depends on.
func (s Server) Needs() []string {
	names := make([]string, len(s.DependsOn))
	for i, d := range s.DependsOn {
		names[i] = d.Name
	}
	return names
}

// Until returns the conditions of what the server depends on.
func (s Server) Until() Conditions {
	var out Conditions
	for _, d := range s.DependsOn {
		if d.Until == UntilReady || d.Until == "" {
			continue
		}
		if out == nil {
			out = make(Conditions)
		}
		out[d.Name] = d.Until
	}
	return out
}

// RestartPolicy says after which exits a wanted server is started again.
type RestartPolicy string

// The restart policies.
const (
	RestartAlways    RestartPolicy = "always"
	RestartOnFailure RestartPolicy = "on-failure"
	RestartNever     RestartPolicy = "never"
)

// Success lists the exits that count as clean. Code 0 always does.
type Success struct {
	Codes   []int
	Signals []syscall.Signal
}

// Backoff is the waiting time between a failure and the next attempt: Min,
// doubled by every further failure up to Max. A run that lasted at least Reset
// starts the count anew. GiveUp is how many restarts in a row are tried before
// the server is failed; 0 tries for ever.
type Backoff struct {
	Min, Max, Reset time.Duration
	GiveUp          int
}

// Delay returns the waiting time after the given number of consecutive
// failures, counted from 1.
func (b Backoff) Delay(failures int) time.Duration {
	d := b.Min
	for i := 1; i < failures && d < b.Max && d > 0; i++ {
		if d > b.Max/2 {
			return b.Max // twice as much may be more than a Duration holds
		}
		d *= 2
	}
	return min(d, b.Max)
}

// StopPolicy says how a server is asked to end, and how long it may take before
// SIGKILL follows.
type StopPolicy struct {
	Signal  syscall.Signal
	Timeout time.Duration
	To      SignalTarget
}

// SignalTarget says who receives the stop signal: the main process alone, or
// its process group and whoever escaped from it.
type SignalTarget string

// The signal targets.
const (
	ToGroup SignalTarget = "group"
	ToMain  SignalTarget = "main"
)

// LogPolicy bounds what is kept of a server's output, in bytes.
type LogPolicy struct {
	MaxSize int64
}

// Threshold says how much the process tree of a server may use, and what
// happens when it has used more for the whole of a time. Exactly one of Memory
// and CPU is set.
type Threshold struct {
	Memory int64         // bytes
	CPU    float64       // percent of a core
	For    time.Duration // 0: one sample is enough
	Action ThresholdAction
}

// ThresholdAction is what happens to a server that uses too much for too long.
type ThresholdAction string

// The threshold actions.
const (
	ThresholdAlert   ThresholdAction = "alert"
	ThresholdRestart ThresholdAction = "restart"
)

// NamePattern is what the name of a server looks like.
const NamePattern = `[a-z0-9][a-z0-9_-]{0,62}`

var namePattern = regexp.MustCompile(`^` + NamePattern + `$`)

// ValidName reports whether a string can name a server.
func ValidName(s string) bool { return namePattern.MatchString(s) }
