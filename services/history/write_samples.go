package history

import (
	"database/sql"
	"errors"
	"slices"

	"tend/services"
)

// bundlesAtOnce is how many chunks are written in one transaction.
const bundlesAtOnce = 256

// writeBundles writes chunks of the journal in one transaction.
func (w *writer) writeBundles(bundles []bundle) error {
	numbers := make(map[string]int64) // of servers that are new
	err := w.base.tx(func(s *statements) error {
		for _, b := range bundles {
			number, err := w.number(s, b.server, numbers)
			if err != nil {
				return err
			}
			if number >= mostKeys {
				continue // more names than anybody has
			}
			if err := s.merge(journal, b.begin, number, b.spans); err != nil {
				return err
			}
		}
		return nil
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

// number returns the number of a server; new ones are added to found.
func (w *writer) number(s *statements, server string, found map[string]int64) (number int64, err error) {
	if n, ok := w.known.servers[server]; ok {
		return n, nil
	}
	if n, ok := found[server]; ok {
		return n, nil
	}
	err = s.server.QueryRow(server).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		var done sql.Result
		if done, err = s.serverAdd.Exec(server); err == nil {
			number, err = done.LastInsertId()
		}
	}
	found[server] = number
	return number, err
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
