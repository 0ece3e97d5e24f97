package logs

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"tend/services"
)

const defaultLimit = 64 << 20

// unlimited is the limit of a log until somebody says how much of it to keep:
// whoever only reads it takes nothing away.
const unlimited = math.MaxInt64 / 8

// beginsAtOnce bounds how many threads make a file at once: they wait for each
// other anyway, as the directory is one.
const beginsAtOnce = 2

// Options say where the logs are and who wants to know what happens to them.
type Options struct {
	Dir    string               // made when it is missing
	Report func(services.Event) // of kinds EventLog and EventDisk; nil for nobody
	Log    *slog.Logger         // nil for nowhere

	// Hide takes out of a text what nobody is to read, without changing the
	// text itself: the files keep what the servers write. Nil for nothing.
	Hide func(text []byte) []byte

	blind bool // tests: no inotify

	way  way                                              // tests: how heads are removed, instead of trying
	fail func(step string) error                          // tests: die between two steps
	free func(dir string) (free, total uint64, err error) // tests: a disk that is full
}

// Store keeps the logs of all servers of one data directory. Its methods may
// be called from any goroutine.
type Store struct {
	options Options
	poke    chan struct{} // the keeper has something in pending
	ended   chan struct{} // closed when Run returns: followers end
	begins  chan struct{} // has room for those that make files at the same time

	mu      sync.Mutex // guards what follows
	logs    map[string]*log
	pending []*log // to be looked at by the keeper
}

// Open prepares the directory. It reads nothing yet, so that it costs the same
// with one log as with a thousand.
func Open(o Options) (*Store, error) {
	if o.Report == nil {
		o.Report = func(services.Event) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hide == nil {
		o.Hide = func(text []byte) []byte { return text }
	}
	if o.fail == nil {
		o.fail = func(string) error { return nil }
	}
	if o.free == nil {
		o.free = freeSpace
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of logs: %w", err)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding the directory of logs: %w", err)
	}
	o.Dir = dir
	return &Store{
		options: o, poke: make(chan struct{}, 1), ended: make(chan struct{}), begins: make(chan struct{}, beginsAtOnce),
		logs: map[string]*log{},
	}, nil
}

// Begin returns the file that a new run of the server writes to, opened for
// appending; the caller closes it after the spawn. From now on the log is kept
// within the policy while Run runs. The error is of kind Invalid where a
// person has to mend something, else Unavailable.
func (s *Store) Begin(server string, p services.LogPolicy) (*os.File, error) {
	s.begins <- struct{}{}
	defer func() { <-s.begins }()
	l, err := s.log(server)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.limit = limitOf(p)
	out, err := l.begin()
	if errors.Is(err, os.ErrNotExist) { // the directory was deleted
		if err = os.MkdirAll(s.options.Dir, 0o700); err == nil {
			out, err = l.begin()
		}
	}
	l.unlock()
	if err != nil {
		return nil, unopened(server, err)
	}
	s.rouse(l)
	return out, nil
}

// Attach goes on keeping the log of a server that an earlier manager started.
// With a policy that says nothing, of a server that nobody configures any more,
// nothing is removed.
func (s *Store) Attach(server string, p services.LogPolicy) {
	l, err := s.log(server)
	if err != nil {
		s.options.Log.Warn("the log of a running server is not kept small", "server", server, "err", err)
		return
	}
	if p.MaxSize > 0 {
		l.mu.Lock()
		l.limit = limitOf(p)
		l.unlock()
	}
	s.rouse(l)
}

// Close lets go of all files. Nothing else may be called afterwards.
func (s *Store) Close() {
	for _, l := range s.all() {
		l.close()
	}
}

func limitOf(p services.LogPolicy) int64 {
	if p.MaxSize <= 0 {
		return defaultLimit
	}
	return min(max(p.MaxSize, 16<<10), unlimited)
}

// log returns the log of a server, opened on first use.
func (s *Store) log(server string) (*log, error) {
	if !services.ValidName(server) {
		return nil, services.Errorf(services.Invalid, "%.80q cannot be the name of a server", server)
	}
	s.mu.Lock()
	l := s.logs[server]
	if l == nil {
		l = newLog(s.options.Dir, server, s.options)
		s.logs[server] = l
	}
	s.mu.Unlock()
	if err := l.open(); err != nil {
		return nil, unopened(server, err)
	}
	return l, nil
}

func unopened(server string, err error) error {
	kind := services.KindOf(err)
	if kind == services.Internal {
		kind = services.Unavailable
	}
	return &services.Error{Kind: kind, Msg: fmt.Sprintf("the log of %s cannot be opened", server), Err: err}
}

// all returns every log that was opened in this life.
func (s *Store) all() []*log {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.logs))
}

// rouse has the keeper look at a log.
func (s *Store) rouse(l *log) {
	s.mu.Lock()
	s.pending = append(s.pending, l)
	s.mu.Unlock()
	select {
	case s.poke <- struct{}{}:
	default: // it is about to look anyway
	}
}

// roused returns the logs to look at, once.
func (s *Store) roused() []*log {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.pending
	s.pending = nil
	return list
}

// report publishes an event about a log, or about all of them.
func (s *Store) report(server, message string) {
	s.options.Report(services.Event{Kind: services.EventLog, Server: server, Message: message})
}
