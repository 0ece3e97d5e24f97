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
	User    string            // name or uid, empty for the manager's own
	Umask   int               // -1 keeps the manager's own
	NoFile  uint64            // limit of open files, 0 keeps the manager's own

	Port      int      // TCP port that the server listens on, 0 for none
	DependsOn []string // names of servers that have to be ready before this one starts
	Autostart bool

	Restart RestartPolicy
	Success Success
	Backoff Backoff
	Stop    StopPolicy
	Logs    LogPolicy
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

// NamePattern is what the name of a server looks like.
const NamePattern = `[a-z0-9][a-z0-9_-]{0,62}`

var namePattern = regexp.MustCompile(`^` + NamePattern + `$`)

// ValidName reports whether a string can name a server.
func ValidName(s string) bool { return namePattern.MatchString(s) }
