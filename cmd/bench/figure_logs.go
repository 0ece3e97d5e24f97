//go:build linux

package main

import (
	"context"
	"fmt"
)

// measureLogs floods a log, which is kept small while a page follows it, and a
// plain file. One that goes on for longer shows what a burst is spared.
func measureLogs(ctx context.Context, b *bench) error {
	long := *b
	long.size.log *= 4
	long.size.writes = b.size.floods
	for _, kind := range []struct {
		*bench
		name  string
		batch int64
		least float64
	}{
		{b, "lines of 120 bytes, one write each", 1, 0.95},
		{b, "writes of 64 kB", 64 << 10 / lineLength, 0.65},
		{&long, "lines of 120 bytes, one write each", 1, 0.85},
	} {
		if err := kind.fast(ctx, flood{batch: kind.batch}, kind.name, kind.least); err != nil {
			return err
		}
	}
	return b.steady(ctx)
}

// fast compares floods that nothing but the machine limits.
func (b *bench) fast(ctx context.Context, f flood, name string, least float64) error {
	var ours, hand, used, shown, disk samples
	var lost []string
	err := inTurns(b.size.writes, func() error {
		out, err := b.floodLog(ctx, f)
		ours.add(out.speed)
		used.add(out.used.Seconds())
		shown.ms(out.shown)
		disk.add(out.disk)
		if out.lost != nil {
			lost = append(lost, "lost: "+out.lost.Error())
		}
		return err
	}, func() error {
		plain, err := b.floodByHand(ctx, f)
		hand.add(plain)
		return err
	})
	if err != nil {
		return err
	}
	b.table.add(row{
		what: fmt.Sprintf("%d MB of log, %s", b.size.log/megabyte, name), unit: "MB/s", ours: ours, hand: hand, turns: true,
		target: fmt.Sprintf(">= %g x, no line lost", least),
		met:    func(r row) bool { return r.ratio() >= least && len(lost) == 0 },
		notes: append(lost, fmt.Sprintf("at most %s on the disk, %s are kept; the page shows the end after %s (median)",
			value(disk.worst(), "MB"), value(float64(b.size.keep)/megabyte, "MB"), value(shown.median(), "ms"))),
	})
	b.table.add(processorRow(used, b.size.log))
	return nil
}

// steady floods at 100 MB/s, which the disk has to stand.
func (b *bench) steady(ctx context.Context) error {
	const rate = 100_000_000
	f := flood{batch: rate / 1000 / lineLength, rate: rate} // a millisecond's worth in one write
	limit := float64(b.size.keep) / megabyte
	var disk, used, reached samples
	var lost []string
	for range b.size.floods {
		out, err := b.floodLog(ctx, f)
		if err != nil {
			return err
		}
		disk.add(out.disk)
		used.add(out.used.Seconds())
		reached.add(out.speed)
		if out.lost != nil {
			lost = append(lost, "lost: "+out.lost.Error())
		}
	}
	b.table.add(row{
		what: fmt.Sprintf("%d MB of log at 100 MB/s, most on the disk", b.size.log/megabyte), unit: "MB", ours: disk,
		target: fmt.Sprintf("<= %g MB, no line lost", 2*limit),
		met:    func(r row) bool { return r.ours.worst() <= 2*limit && len(lost) == 0 },
		notes:  append(lost, "it came at "+value(reached.median(), "MB/s")+" (median)"),
	})
	b.table.add(processorRow(used, b.size.log))
	return nil
}

// processorRow is for what the manager may use for so many bytes of a log: 0.3 s
// for 512 MB.
func processorRow(used samples, size int64) row {
	most := 0.3 * max(1, float64(size)/float64(full.log))
	return row{
		what: "  processor time of the manager meanwhile", unit: "s", ours: used,
		target: fmt.Sprintf("<= %g s", most),
		met:    func(r row) bool { return r.ours.median() <= most },
	}
}
