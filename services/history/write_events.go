package history

import (
	"encoding/json"
	"time"

	"tend/services"
)

// mostEvents is how many events are kept, however young: about 200 MB.
const mostEvents = 1_000_000

// take takes a batch from the queue and finds out what it means for runs.
func (w *writer) take() []record {
	batch := w.store.queue.take()
	crashed := make(map[string]int)
	for i := range batch {
		r := &batch[i]
		w.ledger.note(r)
		if r.ends && r.flags&flagCrash != 0 {
			crashed[r.server] = i // of several the last: what it has said is at the end
		}
	}
	if w.Lines != nil {
		for server, i := range crashed {
			batch[i].lines = w.Lines(server, w.began(&batch[i]))
		}
	}
	return batch
}

// began returns when the run began that a record ends. The table knows it best:
// of a run that was adopted the events tell a rounded time, and of one that
// ended while no manager looked they tell none.
func (w *writer) began(r *record) time.Time {
	var started int64
	row := w.base.conn.QueryRowContext(background, `SELECT started FROM runs
		WHERE server = ?1 AND ended IS NULL AND (id = ?2 OR ?2 = '') ORDER BY started DESC`, r.server, r.endedRun)
	if err := row.Scan(&started); err != nil {
		return instant(r.endedRunStarted).Time // it is not written yet
	}
	return instant(started).Time
}

// writeEvents writes a batch in one transaction.
func (w *writer) writeEvents(batch []record) error {
	k := w.known
	err := w.base.tx(func(s *statements) error {
		for i := range batch {
			r := &batch[i]
			var id any // null where it is the key
			if next := k.seq + 1; r.id >= uint64(next) && r.id < 1<<62 {
				k.seq = int64(r.id)
			} else {
				k.seq, id = next, int64(r.id)
			}
			k.events++
			if _, err := s.event.Exec(k.seq, id, r.at, string(r.kind), r.server, r.message, r.by, r.flags, string(r.phase)); err != nil {
				return err
			}
			if err := s.runs(r); err != nil {
				return err
			}
		}
		if over := k.events - mostEvents; over > 0 {
			done, err := s.eventsCap.Exec(over)
			if err != nil {
				return err
			}
			n, err := done.RowsAffected()
			k.events -= n
			return err
		}
		return nil
	})
	if err == nil {
		w.known = k
	}
	return err
}

// runs writes what a record means for the runs of its server.
func (s *statements) runs(r *record) error {
	if r.ends {
		if err := s.endRun(r); err != nil {
			return err
		}
	}
	if !r.begins {
		return nil
	}
	// An earlier run that is still open has ended at this time or before.
	exit := services.UnknownExit(instant(r.started).Time)
	if _, err := s.runClose.Exec(r.server, r.started, text(exit), r.run); err != nil {
		return err
	}
	_, err := s.runBegin.Exec(r.run, r.server, r.started)
	return err
}

func (s *statements) endRun(r *record) error {
	exit := services.UnknownExit(instant(r.at).Time)
	if r.exit != nil && (r.kind == services.EventExited || millis(r.exit.At) >= r.endedRunStarted && r.endedRunStarted > 0) {
		exit = *r.exit
	}
	ended := millis(exit.At)
	if ended == 0 {
		ended = r.at
	}
	crash := r.flags&flagCrash != 0
	var lines any
	if len(r.lines) > 0 {
		lines = text(r.lines)
	}
	done, err := s.runEnd.Exec(r.server, ended, text(exit), crash, lines, r.endedRun)
	if err != nil || r.endedRun == "" {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n > 0 {
		return err
	}
	// It began before this file did.
	_, err = s.runAdd.Exec(r.endedRun, r.server, r.endedRunStarted, max(ended, r.endedRunStarted), text(exit), crash, lines)
	return err
}

// carryOver tells a new file which runs there are.
func (w *writer) carryOver() error {
	return w.base.tx(func(s *statements) error {
		for server, run := range w.ledger {
			if run.id == "" {
				continue
			}
			if _, err := s.runBegin.Exec(run.id, server, run.started); err != nil {
				return err
			}
		}
		return nil
	})
}

// text is a value as JSON. Ours can always be encoded.
func text(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(b)
}
