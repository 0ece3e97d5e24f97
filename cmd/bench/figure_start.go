//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// measureStart starts a manager and sees when the last of its servers executes
// its first instruction.
func measureStart(ctx context.Context, b *bench) error {
	var ours, hand, told samples
	err := inTurns(b.size.rounds, func() error {
		took, known, err := b.startAll(ctx)
		ours.ms(took)
		told.ms(known)
		return err
	}, func() error {
		took, err := b.startByHand(ctx)
		hand.ms(took)
		return err
	})
	if err != nil {
		return err
	}
	b.table.add(row{
		what: fmt.Sprintf("tend serve to all %d servers running", b.size.servers), unit: "ms", ours: ours, hand: hand, turns: true,
		target: "<= 1.3 x",
		met:    func(r row) bool { return r.ratio() <= 1.3 },
		notes:  []string{"by hand: a loop that gives each a file to write to", fmt.Sprintf("GET /api/servers says so after %s (median)", value(told.median(), "ms"))},
	})
	return nil
}

// plainServers are so many servers that only live.
func (b *bench) plainServers(count int) func(*bell) []served {
	return func(bell *bell) (list []served) {
		for i := range count {
			name := fmt.Sprintf("s%04d", i)
			list = append(list, served{name: name, argv: b.tiny.argv("stamp", bell, name)})
		}
		return list
	}
}

// startAll returns when all servers ran, and when the manager said so.
func (b *bench) startAll(ctx context.Context) (took, told time.Duration, err error) {
	r, err := b.newRig(b.plainServers(b.size.servers))
	if err != nil {
		return 0, 0, err
	}
	defer r.close()
	from := now()
	if err := r.serve(ctx); err != nil {
		return 0, 0, err
	}
	notes, err := r.bell.gather(ctx, r.servers, "born")
	if err != nil {
		return 0, 0, r.trouble(err)
	}
	took = time.Duration(latest(notes) - from)
	if _, err := r.running(ctx); err != nil {
		return 0, 0, err
	}
	told = time.Duration(now() - from)
	return took, told, r.stop(ctx)
}

func (b *bench) startByHand(ctx context.Context) (time.Duration, error) {
	bell, err := newBell(b.dir)
	if err != nil {
		return 0, err
	}
	defer bell.close()
	logs, err := os.MkdirTemp(b.dir, "logs-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(logs) //nolint:errcheck // its parent is removed at the end
	from := now()
	loop, err := b.hire([3]*os.File{}, "keep", b.size.servers, b.tiny.path, bell.path, logs)
	if err != nil {
		return 0, err
	}
	defer loop.killGroup()
	notes, err := bell.gather(ctx, b.size.servers, "born")
	return time.Duration(latest(notes) - from), err
}
