package monitor

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tend/services"
)

// Target is one server to look at, as it is now.
type Target struct {
	Server string
	Run    string // id of the run that is alive, empty for none
	Port   int    // 0 for none
	Alive  bool
	// Seen is told, in milliseconds since 1970, when what was reported of a port
	// was found to be still so: in place of a report. Nil: each is reported.
	Seen *atomic.Int64
}

// Result is what was seen of one server.
type Result struct {
	Server string
	Run    string // the target's
	At     time.Time
	// Healthy is nil where nothing can be said: the server is down, or the
	// check itself was impossible and Why says so.
	Healthy *bool
	Why     string // a few words on why it is not healthy, empty when it is
	// Holder is who listens on the port of a server that is down, nil for
	// nobody or where it cannot be found out (Why says so). It may as well be
	// a process of our own.
	Holder *services.Holder
}

// Options says what to look at and whom to tell.
type Options struct {
	Interval time.Duration               // 0 for DefaultInterval
	Targets  func(out []Target) []Target // appends all servers, in an order that seldom changes
	// Changes grows after Targets has got something else to say, and when
	// somebody wants to hear again what was reported, or has refused it. Nil:
	// that is always so.
	Changes func() uint64
	Holder  func(port int) (services.Holder, bool, error)
	Eyes    Eyes
	Report  func(Result)
	// Looked is told, in place of a report of each, when all servers without a
	// port were looked at and what was reported of them still holds. Not nil
	// where Changes is not.
	Looked func(at time.Time)
	Log    *slog.Logger
}

// DefaultInterval is how often a server is looked at where nothing else is
// configured.
const DefaultInterval = 3 * time.Second

// longest is the longest time that a connection may take; a shorter interval
// shortens it.
const longest = time.Second

// Monitor watches over servers. Use New.
type Monitor struct {
	o     Options
	hurry *hurry
}

// New makes a monitor; Run makes it look.
func New(o Options) *Monitor {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	return &Monitor{o: o, hurry: &hurry{news: make(chan struct{}, 1), names: make(map[string]bool)}}
}

// Hurry says that a server is being started: its port is tried at short
// intervals, which grow, until it answers for the first time. Until a whole
// interval has passed it is not reported that the port does not answer: it is
// starting. Hurry never blocks.
func (m *Monitor) Hurry(server string) { m.hurry.add(server) }

// Run looks at the servers until ctx ends. It returns nil.
func (m *Monitor) Run(ctx context.Context) error {
	w := newWatch(m.o)
	defer w.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.hurry.news:
			w.expect(m.hurry.take())
		case <-timer.C:
		}
		timer.Reset(w.look())
	}
}

// hurry is where notes for Run are left.
type hurry struct {
	news chan struct{} // there are names

	mu    sync.Mutex // guards what follows
	names map[string]bool
}

func (h *hurry) add(server string) {
	h.mu.Lock()
	h.names[server] = true
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default: // it is told already
	}
}

func (h *hurry) take() map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := h.names
	h.names = make(map[string]bool)
	return names
}
