package history

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// background never ends: the driver starts a goroutine for each statement
// under a context that can, and the writer has thousands.
var background = context.Background()

// The pace of writing. What comes alone is written at once, then at most once
// in a spacing, or when somebody asks. Cleaning goes in steps, each after
// stepping, and begins each idle.
const (
	spacing  = time.Second
	stepping = time.Second
	idle     = time.Minute
	farewell = 5 * time.Second // that the last attempt may take
)

// Run writes until ctx ends, and then what is left, which takes some seconds
// at most. It closes the file. The error is that of the last attempt.
func (s *Store) Run(ctx context.Context) error {
	w := s.writer
	defer w.drop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var due time.Time // of the next turn that news can bring
	for {
		select {
		case <-ctx.Done():
			return w.finish()
		case <-s.news:
			if wait := time.Until(due); wait > 0 {
				pause := time.NewTimer(wait)
				select {
				case <-ctx.Done():
				case <-pause.C:
				case <-s.progress.asked:
				}
				pause.Stop()
				if ctx.Err() != nil {
					return w.finish()
				}
			}
		case <-timer.C:
		}
		next := w.turn(ctx)
		due = time.Now().Add(spacing)
		timer.Reset(next)
	}
}

// turn does what is to be done now and returns how long until there is more
// without news.
func (w *writer) turn(ctx context.Context) time.Duration {
	for {
		if wait := time.Until(w.again); wait > 0 {
			return wait
		}
		err := w.ready()
		if err == nil {
			err = w.write(ctx, false)
		}
		if err == nil {
			err = w.clean()
		}
		if !w.outcome(err) {
			break
		}
	}
	switch {
	case w.failed != nil:
		return time.Until(w.again)
	case w.cleaning:
		return stepping
	}
	return idle
}

// finish writes everything there is, also what is in the making.
func (w *writer) finish() error {
	ctx, cancel := context.WithTimeout(background, farewell)
	defer cancel()
	for {
		err := w.ready()
		if err == nil {
			err = w.write(ctx, true)
		}
		if w.outcome(err) {
			continue
		}
		if left := len(w.pending) + w.store.queue.len(); left > 0 {
			w.log.Error("events were not written before the end", "count", left)
			return cmp.Or(w.failed, fmt.Errorf("%d events were not written in time", left))
		}
		return w.failed
	}
}

// write brings what waits into the file, until there is no more or ctx ends.
func (w *writer) write(ctx context.Context, all bool) error {
	for ctx.Err() == nil || w.pending != nil {
		if w.pending == nil {
			if w.pending = w.take(); w.pending == nil {
				break
			}
		}
		if err := w.writeEvents(w.pending); err != nil {
			return err
		}
		w.store.progress.wrote(len(w.pending))
		w.pending = nil
	}
	if w.lost += w.store.queue.lost(); w.lost > 0 && w.failed == nil {
		w.tell("events came faster than they could be written" + w.losses())
	}
	return w.writeSamples(time.Now(), all)
}
