package state

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tend/services"
)

// The pace of writing. On the average there is at most one write in a spacing;
// one that somebody waits for may come so much earlier that a few follow each
// other at once. A failing disk is asked again after firstRetry, then at
// twice the time, at least every lastRetry.
const (
	spacing    = 50 * time.Millisecond
	advance    = 3 * spacing
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// writer makes files of notes. Only the goroutine of Run uses it.
type writer struct {
	dir, instance string
	log           *slog.Logger
	entries       []entry // sorted by name; each encoded once for all files it is in
	clean         bool
	durable       bool // the next file has to be synced
	spare         int  // bytes that the spare has room for
	writes        int  // files written, for the tests
	syncs         int  // of these, synced
}

func newWriter(dir, instance string, records []services.Record, log *slog.Logger) *writer {
	w := &writer{dir: dir, instance: instance, log: log, entries: make([]entry, 0, len(records))}
	for i := range records {
		w.apply(records[i].Name, &records[i])
	}
	return w
}

// apply takes one note: a new record, or nil to forget it.
func (w *writer) apply(name string, rec *services.Record) {
	at, found := slices.BinarySearchFunc(w.entries, name, func(e entry, name string) int { return strings.Compare(e.name, name) })
	if rec == nil {
		if found {
			w.entries = slices.Delete(w.entries, at, at+1)
		}
		return
	}
	e, err := encode(*rec)
	switch {
	case err != nil:
		w.log.Error("a record cannot be kept", "server", name, "err", err)
	case found:
		w.entries[at] = e
	default:
		w.entries = slices.Insert(w.entries, at, e)
	}
}

// write makes a file of everything noted so far.
func (w *writer) write(n notes) error {
	for name, rec := range n.changed {
		w.apply(name, rec)
	}
	w.clean = n.clean
	w.durable = w.durable || n.durable
	text := page(w.instance, w.clean, w.entries)
	err := replaceFile(w.dir, fileName, text, w.durable)
	if full(err) && w.squeeze(text) == nil {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(w.dir, fileName), err)
	}
	w.provide(len(text))
	w.writes++
	if w.durable {
		w.syncs++
	}
	w.durable = false
	return nil
}

// pace says when the next write may be made.
type pace struct {
	due   time.Time // by the average
	again time.Time // after a failure
	retry time.Duration
}

// wait returns how long the next write has to wait, 0 or less for not at all.
func (p *pace) wait(now time.Time, rush bool) time.Duration {
	if rush {
		return p.due.Add(-advance).Sub(now)
	}
	return max(p.due.Sub(now), p.again.Sub(now))
}

// wrote notes a write that began at the given time.
func (p *pace) wrote(began time.Time, err error) {
	if p.due.Before(began) {
		p.due = began
	}
	p.due = p.due.Add(spacing)
	if err == nil {
		p.again, p.retry = time.Time{}, 0
		return
	}
	p.retry = min(max(2*p.retry, firstRetry), lastRetry)
	p.again = time.Now().Add(p.retry)
}

// Run writes what is noted until ctx ends, and then once more if there is
// something left. The error is that of the last write.
func (s *Store) Run(ctx context.Context) error {
	defer close(s.closed)
	var pace pace
	var failed error // of the latest write
	timer := time.NewTimer(0)
	defer timer.Stop()
	for due, rush := false, false; ; {
		if due {
			if wait := pace.wait(time.Now(), rush); wait > 0 {
				timer.Reset(wait)
			} else {
				if began := time.Now(); s.write(&failed) {
					pace.wrote(began, failed)
				}
				due, rush = failed != nil, false
				continue
			}
		}
		select {
		case <-ctx.Done():
			s.write(&failed)
			return failed
		case <-s.news:
			due = true
		case <-s.rush:
			due, rush = true, true
		case <-timer.C:
		}
	}
}

// write makes one attempt, unless there is nothing new to write. last is the
// outcome of the latest one: a change is reported.
func (s *Store) write(last *error) bool {
	n, any := s.desk.take()
	if !any {
		return false
	}
	err := s.writer.write(n)
	s.desk.tried(n.upTo, err)
	switch {
	case err != nil && *last == nil:
		s.log.Error("the state cannot be written", "err", err)
		s.tell(fmt.Sprintf("the state of the servers cannot be written (%v); if tend were killed now, what changes from here on would be forgotten. It is tried again until it works", err))
	case err == nil && *last != nil:
		s.log.Info("the state is written again")
		s.tell("the state of the servers is written again")
	}
	*last = err
	return true
}

func (s *Store) tell(message string) {
	if s.report != nil {
		s.report(services.Event{Kind: services.EventState, Message: message})
	}
}
