//go:build linux

package main

import (
	"context"
	"fmt"
	"time"
)

const (
	lookEvery = 500 * time.Millisecond
	megabyte  = 1_000_000
)

// measureMemory reads what the manager takes while one browser shows it.
func measureMemory(ctx context.Context, b *bench) error {
	for _, of := range []struct {
		servers int
		most    float64
	}{{b.size.servers, 32}, {1, 18}} {
		if err := b.memory(ctx, of.servers, 0, of.most); err != nil {
			return err
		}
	}
	return nil
}

// measureAged reads what a manager takes that has measured its servers, and
// kept what it saw, for a while.
func measureAged(ctx context.Context, b *bench) error {
	return b.memory(ctx, b.size.servers, b.size.aged, 40)
}

// memory reads what a manager takes: of some age, or at once and with a
// browser.
func (b *bench) memory(ctx context.Context, servers int, age time.Duration, most float64) error {
	r, err := b.newRig(b.plainServers(servers))
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	// Asking while they start would be what fills the memory.
	if _, err := r.bell.gather(ctx, servers, "born"); err != nil {
		return r.trouble(err)
	}
	if _, err := r.running(ctx); err != nil {
		return err
	}
	r.api.Close()
	what := fmt.Sprintf("memory (PSS), one browser, servers: %d", servers)
	var w *browser
	if age > 0 {
		what = fmt.Sprintf("memory (PSS) after %v, servers: %d", age, servers)
		timer := time.NewTimer(age)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	} else if w, err = browseOverview(ctx, r.listen); err != nil {
		return r.trouble(err)
	}
	looks, err := b.look(ctx, r.manager.pid)
	if w != nil {
		if closed := w.close(); err == nil {
			err = closed
		}
	}
	if err != nil {
		return r.trouble(err)
	}
	b.table.add(row{
		what: what, unit: "MB", ours: looks, tail: true,
		target: fmt.Sprintf("median <= %g MB", most),
		met:    func(r row) bool { return r.ours.median() <= most },
	})
	return r.stop(ctx)
}

// look reads the memory of a process again and again.
func (b *bench) look(ctx context.Context, pid int) (looks samples, err error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for range b.size.looks {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		bytes, err := pss(pid)
		if err != nil {
			return nil, err
		}
		looks.add(bytes / megabyte)
	}
	return looks, nil
}
