package history

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"tend/services"
)

// FileName is the name of the file in the data directory.
const FileName = "history.db"

// DefaultKeep is how long events and runs are kept where Options do not say.
const DefaultKeep = 30 * 24 * time.Hour

// Options says where history is, and who wants to know what.
type Options struct {
	Path string        // of history.db; its directory has to be ours alone
	Keep time.Duration // how long events and runs are kept; 0 for DefaultKeep

	// Lines returns the last lines that a server has written in the run that
	// began at a time, which is zero where nobody knows. It is called by the
	// goroutine of Run when a run has crashed. Nil for none.
	Lines func(server string, began time.Time) []string

	// Report is told, as an event of kind EventHistory, when the file was set
	// aside or removed, when it cannot be written, and when it can be again. It
	// is called by Open and by the goroutine of Run and must not block; Event
	// may be called from it. Nil for nobody.
	Report func(services.Event)
	Log    *slog.Logger // nil for none
}

// Store is history.db. Use Open; Run has to be called once, and ends it. All
// other methods may be called by anybody at any time.
type Store struct {
	queue    queue
	gauges   gauges
	news     chan struct{} // there is something to write
	progress *progress

	base    atomic.Pointer[base]    // nil while there is none; only the writer stores it
	suspect atomic.Pointer[suspect] // what a reader found damaged
	writer  *writer                 // Run's own
}

// suspect is a base in which a reader found damage.
type suspect struct {
	base *base
	err  error
}

// Open opens the file or begins a new one. A file that cannot be used, a
// directory that cannot be written and a full disk are no errors: they are
// reported, and Run tries again until it works. An error means that the
// options make no sense.
func Open(o Options) (*Store, error) {
	if o.Path == "" {
		return nil, errors.New("open history: there is no path")
	}
	if o.Keep < 0 {
		return nil, errors.New("open history: events cannot be kept for less than no time")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, err
	}
	o.Path = path
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{news: make(chan struct{}, 1), progress: newProgress()}
	s.writer = newWriter(s, o)
	s.writer.open()
	return s, nil
}

// Event notes what has happened. It never waits. Events of kind EventReset are
// not kept.
func (s *Store) Event(e services.Event) {
	if e.Kind == services.EventReset {
		return
	}
	gone := s.queue.put(newRecord(e))
	s.progress.told.Add(1)
	if gone > 0 {
		s.progress.wrote(gone)
	}
	wake(s.news)
}

// Sample notes what a server used at the time of the sample, which has to be
// set. It never waits.
func (s *Store) Sample(server string, sample services.Sample) {
	if s.gauges.put(server, sample) {
		wake(s.news)
	}
}

// Repeat notes that every server of which a sample was noted at since or later,
// and none at at, used at that time what it did at its last one. It never waits.
func (s *Store) Repeat(at, since time.Time) {
	if s.gauges.repeat(at, since) {
		wake(s.news)
	}
}

// wake tells somebody who will look at everything that there is something.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // told already
	}
}
