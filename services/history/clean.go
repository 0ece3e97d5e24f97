package history

import (
	"database/sql"
	"time"

	"tend/services"
)

// What one step of cleaning does at most: some 20 ms of work. Servers that are
// neighbours in the journal share its pages, so it pays to take many.
const (
	rollAtOnce   = 64  // servers whose hour is rolled up
	pruneAtOnce  = 500 // rows
	vacuumPages  = 128
	vacuumAbove  = 256        // free pages stay for what comes, and a quarter of the file
	rollPatience = 3 * minute // after the end of an hour: its last samples have to be written
)

// roll is an hour of the journal that is being rolled up.
type roll struct {
	begin   int64
	servers []int64 // that are left
}

// clean makes one step of what is due: an hour that is over is rolled up, what
// is too old is deleted, and space that is not needed is given back.
func (w *writer) clean() error {
	now := time.Now()
	if now.Before(w.cleanAt) {
		return nil
	}
	w.cleaning = true
	for _, step := range []func(time.Time) (bool, error){w.rollUp, w.prune, w.vacuum} {
		if more, err := step(now); more || err != nil {
			w.cleanAt = now.Add(stepping)
			return err
		}
	}
	w.cleanAt = now.Add(idle)
	w.cleaning = false
	return nil
}

// rollUp makes one step with the oldest hour of the journal, if it is over.
func (w *writer) rollUp(now time.Time) (more bool, err error) {
	stmts := w.base.stmts
	if len(w.roll.servers) == 0 {
		var first sql.NullInt64
		if err := stmts.firstChunk.QueryRow().Scan(&first); err != nil || !first.Valid || first.Int64 >= fine.key(0, 0) {
			return false, err
		}
		begin := floor(beginOf(first.Int64), hour)
		if begin+hour+rollPatience > now.Unix() {
			return false, nil
		}
		if w.roll, err = stmts.journalHour(begin); err != nil {
			return false, err
		}
	}
	n := min(len(w.roll.servers), rollAtOnce)
	err = w.base.tx(func(s *statements) error {
		for _, server := range w.roll.servers[:n] {
			if err := s.rollUp(w.roll.begin, server); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		w.roll.servers = w.roll.servers[n:]
	}
	return true, err
}

// journalHour finds whose samples of an hour are in the journal.
func (s *statements) journalHour(begin int64) (roll, error) {
	r := roll{begin: begin}
	rows, err := s.journalServers.Query(journal.key(begin, 0), journal.key(begin+hour, 0), mostKeys-1)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	for rows.Next() {
		var server int64
		if err := rows.Scan(&server); err != nil {
			return r, err
		}
		r.servers = append(r.servers, server)
	}
	return r, rows.Err()
}

// rollUp moves an hour of a server from the journal to the roll-ups.
func (s *statements) rollUp(begin, server int64) error {
	rows, err := s.chunks.Query(journal.key(begin, server), journal.distance(), journal.key(begin+hour, server))
	if err != nil {
		return err
	}
	samples, keys, err := readChunks(rows, journal, nil)
	if err != nil {
		return err
	}
	if samples, err = s.load(fine, begin, server, samples); err != nil {
		return err
	}
	samples = combined(samples, fine.step)
	for _, t := range rollups {
		if err := s.overlay(t, floor(begin, t.span), server, blended(samples, t.step)); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if _, err := s.chunkDrop.Exec(key); err != nil {
			return err
		}
	}
	return nil
}

// readChunks adds the samples of all rows to those given, and returns the keys
// of the rows. A chunk that cannot be read is left out.
func readChunks(rows *sql.Rows, t tier, samples []services.Sample) ([]services.Sample, []int64, error) {
	defer rows.Close()
	var keys []int64
	var data sql.RawBytes
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key, &data); err != nil {
			return samples, keys, err
		}
		samples, _ = unpack(data, beginOf(key), t.step, samples)
		keys = append(keys, key)
	}
	return samples, keys, rows.Err()
}

// prune deletes some of what is too old.
func (w *writer) prune(now time.Time) (more bool, err error) {
	deleted := int64(0)
	events := int64(0)
	remove := func(stmt *sql.Stmt, args ...any) (n int64, err error) {
		done, err := stmt.Exec(args...)
		if err == nil {
			n, err = done.RowsAffected()
		}
		deleted += n
		return n, err
	}
	old := now.Add(-w.Keep).UnixMilli()
	err = w.base.tx(func(s *statements) (err error) {
		if events, err = remove(s.eventsPrune, old, pruneAtOnce); err != nil {
			return err
		}
		if _, err = remove(s.runsPrune, old, pruneAtOnce); err != nil {
			return err
		}
		for _, t := range rollups {
			if _, err = remove(s.chunksDrop, t.key(0, 0), t.key(now.Unix()-t.keep-t.span, 0), pruneAtOnce); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		w.known.events -= events
	}
	return deleted > 0, err
}

// vacuum gives some free pages back to the file system, where there are many.
func (w *writer) vacuum(time.Time) (more bool, err error) {
	free, err := number(background, w.base.conn, "freelist_count")
	if err != nil {
		return false, err
	}
	pages, err := number(background, w.base.conn, "page_count")
	if err != nil || free < vacuumAbove || free < pages/4 {
		return false, err
	}
	_, err = w.base.conn.ExecContext(background, pragma("incremental_vacuum", vacuumPages))
	return true, err
}
