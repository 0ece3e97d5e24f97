package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"tend/services"
)

const fileName = "state.json"

// Options says who wants to know what.
type Options struct {
	// Report is told, as an event of kind EventState, when the file cannot be
	// written any more and when it can be again. It is called by the goroutine
	// of Run and must not block. Nil for nobody.
	Report func(services.Event)
	Log    *slog.Logger
}

// Loaded is what an earlier manager has left.
type Loaded struct {
	Instance string            // id of the data directory: 16 hexadecimal digits
	Records  []services.Record // as the file has them; the caller's own
	Clean    bool              // the earlier manager ended in peace
	Damage   string            // a sentence about what was lost, or given up by a copy; empty for nothing
}

// Store is state.json. Use Open; only one Run at a time.
type Store struct {
	dir    string
	log    *slog.Logger
	report func(services.Event)
	desk   *desk
	news   chan struct{} // there is something on the desk
	rush   chan struct{} // somebody waits for it
	closed chan struct{} // Run has ended
	writer *writer       // Run's own
}

// Open reads what there is in a data directory whose Lock the caller holds. A
// state file that is missing, damaged or from a newer tend is no error: it is
// set aside and Damage says so. A copy of a directory that is still there
// becomes another instance, without the runs: those belong to the original. An
// error means that the directory cannot be used at all: Unavailable when it
// cannot be written.
func Open(dir string, o Options) (*Store, Loaded, error) {
	doc, found, damage := load(dir)
	was, kept, lost, err := readInstance(dir, doc)
	if err != nil {
		return nil, Loaded{}, err
	}
	now := was
	if here := placeOf(dir); here.known() {
		now.place = here
	}
	copied := was.copiedTo(now.place)
	if copied {
		now.id = newID()
		lost = fmt.Sprintf("%s is a copy of %s, which is still there, so it got an instance id of its own: the servers that run stay with the original", dir, was.place.path)
		for i := range doc.Servers {
			doc.Servers[i].Run = nil
		}
	}
	s := &Store{
		dir: dir, log: o.Log, report: o.Report,
		desk:   newDesk(doc, !found),
		news:   make(chan struct{}, 1),
		rush:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		writer: newWriter(dir, now.id, doc.Servers, o.Log),
	}
	if !found {
		s.news <- struct{}{}
	}
	// First the records, then the id: who dies in between begins anew, and a
	// new id never stands beside runs of another.
	if copied || !found && damage == "" { // from now on a missing file is a loss
		err = replaceFile(dir, fileName, page(now.id, doc.Clean, s.writer.entries), true)
	}
	if err == nil && (now != was || !kept) {
		if err = now.write(dir); kept && !copied {
			err = nil // it is only the place, and the next start tries again
		}
	}
	if err != nil {
		return nil, Loaded{}, unwritable(dir, err)
	}
	return s, Loaded{Instance: now.id, Records: doc.Servers, Clean: doc.Clean, Damage: both(damage, lost)}, nil
}

// Readable reports why the state of a data directory would be lost on this
// program, nil if it would not. It changes nothing.
func Readable(dir string) error {
	data, err := readFile(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		_, err = decode(data)
	}
	if err != nil {
		return &services.Error{Kind: services.Conflict, Msg: "the state cannot be read", Err: err}
	}
	return nil
}

// both joins two sentences, of which either may be empty.
func both(a, b string) string {
	if a != "" && b != "" {
		return a + "; " + b
	}
	return a + b
}

// load reads state.json; found is false where there is none to be used.
func load(dir string) (doc document, found bool, damage string) {
	const effect = ": servers that still run are found again, and autostart decides about the others"
	path := filepath.Join(dir, fileName)
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := readFile(filepath.Join(dir, instanceName)); err == nil {
			damage = path + " is missing although this directory has been in use" + effect
		}
		return document{}, false, damage
	case err == nil && len(data) == 0:
		err = errors.New("it is empty")
	case err == nil:
		doc, err = decode(data)
	}
	if err != nil {
		return document{}, false, putAside(dir, fileName, err) + effect
	}
	return doc, true, ""
}

// Put notes the latest record of a server. It never waits for the disk. What
// the record points to must not change afterwards.
func (s *Store) Put(rec services.Record) {
	s.desk.record(rec)
	wake(s.news)
}

// Forget removes the record of a server, if there is one.
func (s *Store) Forget(name string) {
	s.desk.forget(name)
	wake(s.news)
}

// SetClean notes whether a manager that finds this file follows one that has
// ended in peace.
func (s *Store) SetClean(clean bool) {
	s.desk.setClean(clean)
	wake(s.news)
}

// Flush returns nil once everything that was noted before the call is in the
// file, and synced where it has to be. It returns the error of the attempt
// where that failed (the writer goes on trying), and Unavailable when ctx ends
// first or Run has ended.
func (s *Store) Flush(ctx context.Context) error {
	begin := s.desk.progress()
	for now := begin; now.written < begin.put; now = s.desk.progress() {
		if now.failed != nil && now.tries > begin.tries {
			return now.failed
		}
		wake(s.rush)
		select {
		case <-now.ended:
		case <-s.closed:
			if s.desk.progress().written >= begin.put {
				return nil
			}
			return services.Errorf(services.Unavailable, "the state is not written any more: its writer has ended")
		case <-ctx.Done():
			return &services.Error{Kind: services.Unavailable, Msg: "the state is not written yet", Err: ctx.Err()}
		}
	}
	return nil
}

// wake tells somebody who will look at everything that there is something.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // told already
	}
}
