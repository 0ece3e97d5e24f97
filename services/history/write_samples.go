package history

import (
	"cmp"
	"database/sql"
	"errors"
	"slices"
	"time"

	"tend/services"
)

// About how many chunks are written in one transaction, and how many of what in
// one statement of it.
const (
	bundlesAtOnce = 256
	chunksAtOnce  = 32
	namesAtOnce   = 32
)

// writeSamples brings the minutes that are over into the file, or everything.
func (w *writer) writeSamples(now time.Time, all bool) error {
	for {
		w.store.gauges.due(&w.batch, now.Unix(), all)
		if len(w.batch.bundles) == 0 {
			return nil
		}
		if err := w.writeBundles(w.batch.bundles); err != nil {
			return err
		}
	}
}

// writeBundles writes chunks of the journal in one transaction.
func (w *writer) writeBundles(bundles []bundle) error {
	var numbers map[string]int64 // of servers that this writer did not know
	err := w.base.tx(func(s *statements) (err error) {
		if numbers, err = s.numbers(w.strangers(bundles)); err != nil {
			return err
		}
		pages := make([]page, 0, len(bundles))
		for _, b := range bundles {
			number, known := w.known.servers[b.server]
			if !known {
				number = numbers[b.server]
			}
			if number >= mostKeys {
				continue // more names than anybody has
			}
			pages = append(pages, page{journal.key(b.begin, number), b.begin, number, b.spans})
		}
		return s.writePages(pages)
	})
	if err != nil {
		return err
	}
	for server, number := range numbers {
		w.known.servers[server] = number
	}
	for _, b := range bundles {
		w.store.gauges.written(b)
	}
	return nil
}

// page is a chunk of the journal on its way into the file.
type page struct {
	key, begin, server int64
	spans              []services.Sample
}

// writePages writes chunks of the journal. Nearly all of them are new: these
// go into the file many at once, in the order of their keys. What is there
// already, of a manager before or after the clock was set back, is merged.
func (s *statements) writePages(pages []page) error {
	slices.SortStableFunc(pages, func(a, b page) int { return cmp.Compare(a.key, b.key) })
	there, err := s.keysWithin(pages)
	if err != nil {
		return err
	}
	values := make([]any, 0, 2*chunksAtOnce)
	for i, p := range pages {
		if i+1 < len(pages) && pages[i+1].key == p.key {
			pages[i+1].spans = append(p.spans, pages[i+1].spans...)
			continue
		}
		if there[p.key] {
			if err := s.merge(journal, p.begin, p.server, p.spans); err != nil {
				return err
			}
			continue
		}
		values = append(values, p.key, pack(combined(p.spans, journal.step), p.begin, journal.step))
		if len(values) == cap(values) {
			if _, err := s.chunksPut.Exec(values...); err != nil {
				return err
			}
			values = values[:0]
		}
	}
	for ; len(values) > 0; values = values[2:] {
		if _, err := s.chunkPut.Exec(values[0], values[1]); err != nil {
			return err
		}
	}
	return nil
}

// keysWithin returns the keys that are in the file between the first and the
// last of those pages.
func (s *statements) keysWithin(pages []page) (map[int64]bool, error) {
	if len(pages) == 0 {
		return nil, nil
	}
	rows, err := s.keys.Query(pages[0].key, pages[len(pages)-1].key)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	there := make(map[int64]bool)
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		there[key] = true
	}
	return there, rows.Err()
}

// strangers returns the servers whose numbers this writer does not know.
func (w *writer) strangers(bundles []bundle) (names []any) {
	for i, b := range bundles {
		if _, known := w.known.servers[b.server]; !known && (i == 0 || bundles[i-1].server != b.server) {
			names = append(names, b.server)
		}
	}
	return names
}

// numbers returns the numbers of servers, by their names. New ones get one.
func (s *statements) numbers(names []any) (map[string]int64, error) {
	found := make(map[string]int64, len(names))
	for len(names) > 0 {
		stmt, n := s.serverPut, 1
		if len(names) >= namesAtOnce {
			stmt, n = s.serversPut, namesAtOnce
		}
		rows, err := stmt.Query(names[:n]...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var number int64
			if err := rows.Scan(&number, &name); err != nil {
				return nil, err
			}
			found[name] = number
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		names = names[n:]
	}
	return found, nil
}

// load adds the samples of one chunk to those given, none where there is no
// such chunk or it cannot be read: a new one then takes its place.
func (s *statements) load(t tier, begin, server int64, samples []services.Sample) ([]services.Sample, error) {
	var data []byte
	err := s.chunk.QueryRow(t.key(begin, server)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return samples, nil
	}
	if err != nil {
		return samples, err
	}
	samples, _ = unpack(data, begin, t.step, samples)
	return samples, nil
}

// store writes a chunk in the place of what is there.
func (s *statements) store(t tier, begin, server int64, samples []services.Sample) error {
	_, err := s.chunkPut.Exec(t.key(begin, server), pack(samples, begin, t.step))
	return err
}

// merge adds samples to a chunk. What belongs to the same span is combined.
func (s *statements) merge(t tier, begin, server int64, samples []services.Sample) error {
	there, err := s.load(t, begin, server, nil)
	if err != nil {
		return err
	}
	return s.store(t, begin, server, combined(append(there, samples...), t.step))
}

// overlay adds samples to a chunk. They replace what is there of the same span.
func (s *statements) overlay(t tier, begin, server int64, samples []services.Sample) error {
	there, err := s.load(t, begin, server, nil)
	if err != nil {
		return err
	}
	out := slices.DeleteFunc(there, func(old services.Sample) bool {
		_, found := slices.BinarySearchFunc(samples, old, byTime)
		return found
	})
	out = append(out, samples...)
	slices.SortFunc(out, byTime)
	return s.store(t, begin, server, out)
}

// combined puts samples into the order of time, one for each step.
func combined(samples []services.Sample, step int64) []services.Sample {
	slices.SortStableFunc(samples, byTime)
	return blended(samples, step)
}
