package services

import (
	"context"
	"iter"
	"slices"
)

// Action is what an operator can ask of a server.
type Action string

// The actions.
const (
	Start   Action = "start"
	Stop    Action = "stop"
	Restart Action = "restart"
	Kill    Action = "kill"
)

// Lister is a Control that can list into memory which is used again.
type Lister interface {
	// AppendList appends what List returns.
	AppendList(ctx context.Context, out []Status) ([]Status, error)
}

// AppendList appends what the List of any Control returns.
func AppendList(ctx context.Context, c Control, out []Status) ([]Status, error) {
	if l, ok := c.(Lister); ok {
		return l.AppendList(ctx, out)
	}
	list, err := c.List(ctx)
	return append(out, list...), err
}

// Control is the one interface to the servers of a machine. The orchestrator
// implements it for this process, services/remote over REST; one conformance
// suite runs against both.
type Control interface {
	// List returns every server in the order of the configuration, then the
	// orphans of kind unconfigured by name.
	List(ctx context.Context) ([]Status, error)

	// Get returns one server. NotFound.
	Get(ctx context.Context, name string) (Status, error)

	// Do records an order for all servers it names, or for none of them, and
	// returns their statuses right after: it does not wait for the outcome
	// (see Await). NotFound for an unknown name, Conflict where a start finds
	// its port held by somebody else, Invalid for an order that makes no sense.
	Do(ctx context.Context, order Order) ([]Status, error)

	// Watch yields events in their one order: first whatever is retained
	// after the given id, then the new ones as they come, until ctx ends
	// or an error is yielded, which is always the last. With after = Now it
	// begins with the next event. Where the id is too old or from another
	// manager's life, it yields one event of kind EventReset first: list again.
	Watch(ctx context.Context, after uint64) iter.Seq2[Event, error]
}

// Order is one wish for one or more servers. Starting a server also starts
// the servers that it depends on; stopping several stops dependents before
// what they depend on.
type Order struct {
	Action  Action
	Servers []string
	// Orphan is the pid of the foreign process that holds the port of the one
	// server named, for Stop only: that process is ended instead of the server.
	Orphan int
	// By says who orders it, for the record: "cli alice (uid 1000)",
	// "browser 127.0.0.1", "policy". It grants nothing.
	By string
}

// Configured returns the names of those that are in the configuration: whoever
// orders something of all servers means these, and no orphan.
func Configured(list []Status) []string {
	var names []string
	for _, s := range list {
		if s.OrphanKind == nil || *s.OrphanKind != Unconfigured {
			names = append(names, s.Name)
		}
	}
	return names
}

// WithDependents returns the names and, after them, those servers of a list
// that run and depend on them, directly or not.
func WithDependents(list []Status, names []string) []string {
	out := slices.Clone(names)
	for grown := true; grown; {
		grown = false
		for _, s := range list {
			needs := slices.ContainsFunc(s.DependsOn, func(name string) bool { return slices.Contains(out, name) })
			if needs && s.Want == Up && s.PID != 0 && !slices.Contains(out, s.Name) {
				out, grown = append(out, s.Name), true
			}
		}
	}
	return out
}
