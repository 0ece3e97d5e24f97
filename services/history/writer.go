package history

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"tend/services"
)

// writer brings everything into the file. Only the goroutine of Run uses it,
// and Open before.
type writer struct {
	Options
	store *Store
	log   *slog.Logger

	base    *base
	pending []record // taken from the queue, not written yet
	batch   batch    // of samples
	ledger  ledger
	known   known
	roll    roll

	failed   error     // of the latest attempt
	lost     int       // events that were dropped and not reported
	again    time.Time // not before this after a failure
	retry    time.Duration
	asideAt  time.Time // when a file was last set aside
	cleanAt  time.Time // when it is next looked for what is too old
	cleaning bool      // there is more of it
}

// known is what the writer remembers of the file. After a failure it is read
// again.
type known struct {
	valid   bool
	seq     int64 // the largest key of events
	events  int64 // how many there are
	servers map[string]int64
}

// A failing disk is asked again after firstRetry, then at twice the time, at
// least every lastRetry. A second damaged file within asideAgain is no accident.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
	asideAgain = time.Minute
)

func newWriter(s *Store, o Options) *writer {
	return &writer{Options: o, store: s, log: o.Log, ledger: make(ledger)}
}

// open makes the first attempt, so that what is there can be read before Run.
func (w *writer) open() {
	if w.outcome(w.ready()) {
		w.outcome(w.ready())
	}
}

// ready makes sure that the open file is the one in the directory.
func (w *writer) ready() error {
	if s := w.store.suspect.Swap(nil); s != nil && s.base == w.base {
		return s.err
	}
	if w.base != nil {
		info, err := os.Lstat(w.Path)
		switch {
		case err == nil && os.SameFile(info, w.base.info):
		case err == nil, errors.Is(err, fs.ErrNotExist):
			w.store.base.Store(nil)
			w.base.abandon()
			w.base = nil
			w.tell(w.Path + " was removed or replaced while it was in use: history goes on in the file that is there now, or in a new one")
		default:
			return err
		}
	}
	if w.base == nil {
		b, err := openBase(w.Path)
		if err != nil {
			return err
		}
		w.base = b
		w.known, w.roll = known{}, roll{}
		w.store.base.Store(b)
		if b.made {
			if err := w.carryOver(); err != nil {
				return err
			}
		}
	}
	if !w.known.valid {
		return w.learn()
	}
	return nil
}

// learn reads what the writer has to know of the file.
func (w *writer) learn() error {
	k := known{servers: make(map[string]int64)}
	row := w.base.conn.QueryRowContext(background, `SELECT coalesce(max(seq), 0), count(*) FROM events`)
	if err := row.Scan(&k.seq, &k.events); err != nil {
		return err
	}
	k.valid = true
	w.known = k
	return nil
}

// drop closes the file. What waits stays in memory.
func (w *writer) drop() {
	if w.base != nil {
		w.store.base.Store(nil)
		w.base.close()
		w.base = nil
	}
}

// outcome notes how an attempt ended and tells of a change. It reports whether
// to try again at once: after a damaged file was set aside.
func (w *writer) outcome(err error) (again bool) {
	w.store.progress.stuck.Store(err != nil)
	if err == nil {
		w.retry, w.again = 0, time.Time{}
		if w.failed != nil {
			w.log.Info("history is written again")
			w.tell("history is written again" + w.losses())
		}
		w.failed = nil
		return false
	}
	w.known, w.roll = known{}, roll{}
	if damaging(err) {
		w.drop()
		aside, asideErr := setAside(w.Path)
		if asideErr == nil {
			w.log.Error("history was set aside", "err", err, "aside", aside)
			w.tell(fmt.Sprintf("%s cannot be used (%v); it was set aside as %s, and a new one is begun", w.Path, err, aside))
			again = time.Since(w.asideAt) > asideAgain
			w.asideAt = time.Now()
			if again {
				return true
			}
		} else {
			err = fmt.Errorf("%w; and it cannot be set aside: %w", err, asideErr)
		}
	} else if !passing(err) {
		w.drop()
	}
	if w.failed == nil {
		w.log.Error("history cannot be written", "err", err)
		w.tell(fmt.Sprintf("history cannot be written (%v); events and samples wait in memory, and it is tried again until it works", err))
	}
	w.failed = err
	w.retry = min(max(2*w.retry, firstRetry), lastRetry)
	w.again = time.Now().Add(w.retry)
	return false
}

// losses says how many events were given up since it was last said.
func (w *writer) losses() string {
	n := w.lost + w.store.queue.lost()
	w.lost = 0
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d events were more than could wait, and are lost", n)
}

func (w *writer) tell(message string) {
	if w.Report != nil {
		w.Report(services.Event{Kind: services.EventHistory, Message: message})
	}
}
