//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

// sampling is how often a manager measures everything while nobody looks.
const sampling = 15 * time.Second

// measureSampling reads what the manager uses from one look at the resources
// of everything to the next, servers with three children each. That is what
// the look costs, and all that goes with it: to keep what was seen, above all.
func measureSampling(ctx context.Context, b *bench) error {
	r, err := b.newRig(func(bell *bell) (list []served) {
		for i := range b.size.servers {
			name := fmt.Sprintf("s%04d", i)
			family := fmt.Sprintf(`for i in 1 2 3; do %[1]s hold %[2]s %[3]s & done; exec %[1]s stamp %[2]s %[3]s`, b.tiny.path, bell.path, name)
			list = append(list, served{name: name, argv: []string{"/bin/sh", "-c", family}})
		}
		return list
	})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.bell.gather(ctx, r.servers, "born"); err != nil {
		return r.trouble(err)
	}
	if err := r.quiet(ctx); err != nil {
		return err
	}
	var used samples
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	before, err := processorTime(r.manager.pid)
	if err != nil {
		return err
	}
	for range b.size.passes {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		now, err := processorTime(r.manager.pid)
		if err != nil {
			return err
		}
		used.ms(now - before)
		before = now
	}
	b.table.add(row{
		what: fmt.Sprintf("processor for one look at %d servers x 4 processes", r.servers), unit: "ms", ours: used, tail: true,
		target: "median <= 60 ms",
		met:    func(r row) bool { return r.ours.median() <= 60 },
		notes:  []string{fmt.Sprintf("all that the manager uses in %v, history included", sampling)},
	})
	return r.stop(ctx)
}
