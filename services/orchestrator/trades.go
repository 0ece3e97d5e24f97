package orchestrator

import (
	"context"
	"iter"
	"log/slog"
	"os"
	"syscall"
	"time"

	"tend/services"
	"tend/services/monitor"
	"tend/services/process"
)

// Host starts processes and finds them again.
type Host interface {
	// Start begins a run. Kind Unavailable means that another attempt may
	// succeed; every other error is for a person to mend.
	Start(spec process.Spec) (Process, error)
	// Adopt takes over a run of an earlier manager. NotFound when nothing of
	// it is alive, any other error when something is or may be.
	Adopt(run services.Run) (Process, error)
	// Find returns every live run of this data directory, known or not.
	Find(known []services.Run) ([]services.Run, error)
	// Ended says how a run of an earlier manager has ended, of which nothing is
	// alive. Nobody may have seen it.
	Ended(run services.Run) services.Exit
	// Limits says in words which limits of a server are in force for a run.
	Limits(server services.Server, run services.Run) string
	// MemoryKind says what the memory of a run counts, empty for nothing.
	MemoryKind(run services.Run) services.MemoryKind
}

// Ports knows who listens where.
type Ports interface {
	// Holder returns the process that listens on a TCP port, false for none.
	Holder(port int) (services.Holder, bool, error)
	// Command returns the command line of a process, empty when it is unknown.
	Command(pid int) string
	// Owns reports whether the process belongs to a run of ours.
	Owns(pid int) bool
	// KillForeign ends a holder that is not ours: stop signal, then after
	// grace SIGKILL. Forbidden for one that must not be ended.
	KillForeign(ctx context.Context, holder services.Holder, grace time.Duration) error
}

// Process is one live run with its whole tree.
type Process interface {
	Run() services.Run
	Tracking() services.Tracking
	Exited() <-chan struct{}  // the main process has ended
	Exit() services.Exit      // how, after Exited
	OutOfMemory() bool        // the kernel has ended it for lack of memory; takes its time
	Changed() <-chan struct{} // Run returns something new
	OnNews(tell func())       // called, without blocking, after one of these channels has got something to say
	Signal(sig syscall.Signal, to services.SignalTarget) error
	Kill()                 // SIGKILL to all that is left of the tree, until Gone
	Gone() <-chan struct{} // nothing of the tree is left; watched from the first Signal or Kill on
	Survivors() []int
}

// Recorder keeps what the next manager has to know. Put never blocks.
type Recorder interface {
	Put(services.Record)
	Forget(name string)
	Flush(ctx context.Context) error
}

// Bus carries events in their one order. Publish never blocks.
type Bus interface {
	Publish(services.Event)
	Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error]
}

// Outputs gives each run the file that it writes to.
type Outputs interface {
	Begin(server string, policy services.LogPolicy) (*os.File, error)
	Attach(server string, policy services.LogPolicy)
	End(server string) string // the place behind all that the server has written
}

// Checker watches over health. None of its methods blocks.
type Checker interface {
	Hurry(server string)       // look at the port of a server that has just been started
	Begin(run monitor.Watched) // make the checks of a run, and of no other of the server
	End(server string)         // make no more
}

// Secrets knows the values that the configuration only refers to.
type Secrets interface {
	// Read reads those of a server anew, which may take seconds. Kind
	// Unavailable means that another attempt may succeed; every other error is
	// for a person to mend.
	Read(ctx context.Context, server services.Server) (map[string]string, error)
	// Hide returns a text without any value that is known.
	Hide(text string) string
}

// Trades are the services that the orchestrator joins.
type Trades struct {
	Host    Host
	Ports   Ports
	State   Recorder
	Bus     Bus
	Logs    Outputs
	Checker Checker
	Secrets Secrets                              // nil where there are none
	Usage   func(server string) *services.Sample // the newest, nil for none; nil for never
	Log     *slog.Logger
}
