//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// load reads, in so many windows, what share of a core each process uses, in
// percent.
func (b *bench) load(ctx context.Context, windows int, pids ...int) ([]samples, error) {
	out := make([]samples, len(pids))
	before := make([]time.Duration, len(pids))
	since := time.Now()
	for i, pid := range pids {
		var err error
		if before[i], err = processorTime(pid); err != nil {
			return nil, err
		}
	}
	tick := time.NewTicker(b.size.window)
	defer tick.Stop()
	for range windows {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		length := time.Since(since)
		since = time.Now()
		for i, pid := range pids {
			used, err := processorTime(pid)
			if err != nil {
				return nil, err
			}
			out[i].add(100 * float64(used-before[i]) / float64(length))
			before[i] = used
		}
	}
	return out, nil
}

// loadRow is a row about the use of the processor: neither the usual window
// nor all of them together may exceed the target.
func (b *bench) loadRow(what string, ours, hand samples, most float64) row {
	return row{
		what: what, unit: "%", ours: ours, hand: hand,
		target: fmt.Sprintf("<= %g %% of a core", most),
		met:    func(r row) bool { return max(r.ours.median(), r.ours.mean()) <= most },
		notes: []string{fmt.Sprintf("mean of %v: %s, by hand %s; worst %v: %s", time.Duration(len(ours))*b.size.window,
			value(ours.mean(), "%"), value(hand.mean(), "%"), b.size.window, value(ours.worst(), "%"))},
	}
}
