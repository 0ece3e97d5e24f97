// Package process is about live processes: it starts them, takes over those of
// an earlier manager, watches them, sends them signals and ends their whole
// trees. It is mechanism only; when to do which is decided elsewhere.
//
// A run is one main process and everything that descends from it. On Linux the
// run has a cgroup v2 where one can be made: then the kernel keeps the list of
// its processes. Elsewhere they are known by identities that were written
// down, by session and process group, and by a mark in the environment; what
// each can promise is its Tracking.
//
// Main processes are watched by pidfds in one epoll set: a thousand of them
// cost one goroutine.
package process

import (
	"log/slog"
	"os"
	"sync/atomic"

	"tend/services"
)

// Options is what a Host begins with.
type Options struct {
	Instance string // random id of the data directory: tells our processes from other managers'
	Without  Without
	Hide     func(text string) string              // takes what is secret out of command lines; nil for nothing
	Secrets  func(server string) map[string]string // variables of the last start, for probes; nil for none
	Log      *slog.Logger
}

// Without names kernel mechanisms that are not to be used.
type Without struct {
	Cgroup    bool
	ExitInfo  bool // pidfds that tell how a process ended that is not our child
	Connector bool // the kernel's report of all processes that end, where pidfds do not tell
}

// discreet is the part of a Host that knows what is secret.
type discreet struct {
	hide    func(text string) string
	secrets func(server string) map[string]string
}

func newDiscreet(o Options) discreet {
	d := discreet{hide: o.Hide, secrets: o.Secrets}
	if d.hide == nil {
		d.hide = func(text string) string { return text }
	}
	if d.secrets == nil {
		d.secrets = func(string) map[string]string { return nil }
	}
	return d
}

// Spec is what to start.
type Spec struct {
	ID      string // of the run, random
	Server  services.Server
	Secrets map[string]string // variables that win over those of Server
	Log     *os.File          // stdout and stderr
	Forks   bool              // see services.Run
}

// The marks in the environment of every process that we start.
const (
	markRun    = "TEND_RUN"    // <instance>.<run id>
	markServer = "TEND_SERVER" // name
)

// bell is who is told of news; nobody at first.
type bell struct{ atomic.Pointer[func()] }

func (b *bell) tell() {
	if tell := b.Load(); tell != nil {
		(*tell)()
	}
}
