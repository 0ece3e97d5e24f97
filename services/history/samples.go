package history

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"tend/services"
)

// The limits of a series.
const (
	defaultPoints = 300
	mostPoints    = 2000
)

// Samples returns what a server used from one time until another, oldest
// first: at most so many points (0 for 300, never more than 2000), each the
// blend of a span. They come from the roll-up that is just fine enough and
// goes back far enough, and from what is not rolled up or not written yet.
// Spans of which nothing is known are missing. A zero to means now, a zero from
// as far back as samples go. Errors are Invalid where from is not before to,
// and Unavailable.
func (s *Store) Samples(ctx context.Context, server string, from, to time.Time, points int) ([]services.Sample, error) {
	now := time.Now()
	first, end := from.Unix(), to.Unix()
	if to.IsZero() {
		end = now.Unix() + 1
	}
	first, end = max(first, now.Unix()-coarse.keep), min(end, now.Unix()+day)
	if !to.IsZero() && !from.Before(to) {
		return nil, services.Errorf(services.Invalid, "samples from %s until %s: the first has to be before the second", from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	if points <= 0 {
		points = defaultPoints
	}
	if first >= end {
		return []services.Sample{}, nil
	}
	view := newView(first, end, min(points, mostPoints), now.Unix())
	view.wait(s.gauges.list(server)) // first: what is written meanwhile is then seen twice, not never
	err := s.read(ctx, func(ctx context.Context, db *sql.DB) error { return view.read(ctx, db, server) })
	if err != nil {
		return []services.Sample{}, err
	}
	return view.samples(), nil
}

// view is a series in the making.
type view struct {
	tier       tier
	first, end int64 // seconds, whole steps
	step       int64
	blends     []blend        // one for each step
	waiting    map[int64]bool // spans that were in memory, by their seconds
}

// newView chooses the roll-up and the step for at most so many points.
func newView(first, end int64, points int, now int64) *view {
	v := &view{}
	want := (end - first) / int64(points)
	for _, t := range rollups { // the coarsest that is fine enough and, above all, goes back far enough
		if v.step == 0 || t.step <= want || now-v.tier.keep > first {
			v.tier, v.step = t, t.step
		}
	}
	for n := max(1, want/v.tier.step); ; n++ {
		v.step = n * v.tier.step
		v.first = floor(first, v.step)
		if count := (end - v.first + v.step - 1) / v.step; count <= int64(points) {
			v.end = v.first + count*v.step
			v.blends = make([]blend, count)
			return v
		}
		if v.step > end {
			points++ // two spans meet within the time that is asked for
		}
	}
}

// wait adds what is not written yet.
func (v *view) wait(samples []services.Sample) {
	v.add(samples)
	v.waiting = make(map[int64]bool, len(samples))
	for _, s := range samples {
		v.waiting[s.At.Unix()] = true
	}
}

// add adds samples of any step.
func (v *view) add(samples []services.Sample) {
	for _, s := range samples {
		if at := s.At.Unix(); at >= v.first && at < v.end {
			v.blends[(at-v.first)/v.step].add(s)
		}
	}
}

// read adds what is in the file at one instant: the journal and the roll-up.
func (v *view) read(ctx context.Context, db *sql.DB, server string) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has changed nothing
	var number int64
	err = tx.QueryRowContext(ctx, `SELECT id FROM servers WHERE name = ?`, server).Scan(&number)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	var oldest sql.NullInt64
	if err := tx.QueryRowContext(ctx, firstChunk).Scan(&oldest); err != nil {
		return err
	}
	if oldest.Valid && oldest.Int64 < fine.key(0, 0) {
		from := max(v.first, beginOf(oldest.Int64))
		if err := v.readTier(ctx, tx, journal, number, from); err != nil {
			return err
		}
	}
	return v.readTier(ctx, tx, v.tier, number, v.first)
}

func (v *view) readTier(ctx context.Context, tx *sql.Tx, t tier, server, from int64) error {
	rows, err := tx.QueryContext(ctx, chunksOfServer, t.key(floor(from, t.span), server), t.distance(), t.key(v.end+minute-1, server))
	if err != nil {
		return err
	}
	samples, _, err := readChunks(rows, t, nil)
	if t.step == journal.step { // written just now, or to be combined when it is
		samples = slices.DeleteFunc(samples, func(s services.Sample) bool { return v.waiting[s.At.Unix()] })
	}
	v.add(samples)
	return err
}

// samples returns the spans of which something is known.
func (v *view) samples() []services.Sample {
	out := make([]services.Sample, 0, len(v.blends))
	for i := range v.blends {
		if b := &v.blends[i]; b.n > 0 {
			out = append(out, b.sample(v.first+int64(i)*v.step))
		}
	}
	return out
}
