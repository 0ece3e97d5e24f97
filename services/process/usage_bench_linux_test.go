package process

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// BenchmarkUsage measures one pass over a thousand servers with three children
// each, in processor time. At rest they all sleep; awake, every run is read as
// if it had just used the processor; busy, as if every process had.
func BenchmarkUsage(b *testing.B) {
	for _, tier := range []struct {
		name    string
		without Without
	}{{"cgroup", Without{}}, {"loose", Without{Cgroup: true}}} {
		b.Run(tier.name, func(b *testing.B) {
			m := crowd(b, tier.without, 1000)
			read := func(b *testing.B, before func(r *runUsage)) {
				var used time.Duration
				for range b.N {
					for _, r := range m.runs {
						before(r)
					}
					from := processorTime()
					for range m.Read(context.Background(), true) { // a pass
					}
					used += processorTime() - from
				}
				b.ReportMetric(used.Seconds()*1000/float64(b.N), "cpu-ms/op")
			}
			b.Run("rest", func(b *testing.B) { read(b, func(*runUsage) {}) })
			b.Run("awake", func(b *testing.B) { read(b, func(r *runUsage) { r.cgroup = -1 }) })
			b.Run("busy", func(b *testing.B) { read(b, func(r *runUsage) { r.cgroup, r.members = -1, nil }) })
		})
	}
}

func processorTime() time.Duration {
	var used unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// crowd starts trees of four processes, and returns when all of them sleep.
func crowd(b *testing.B, without Without, servers int) *Meter {
	h := open(b, "crowd", without)
	b.Cleanup(func() { // all at once: they share the looks at the machine
		all := h.all()
		for _, p := range all {
			p.Kill()
		}
		for _, p := range all {
			<-p.Gone()
		}
	})
	for range servers {
		h.start(services.Server{Name: "a", Dir: "/", Umask: -1,
			Command: services.Command{Shell: "sleep 1000 & sleep 1000 & sleep 1000 & wait"}})
	}
	m := h.NewMeter()
	until(b, "all have started", func() bool {
		var sum services.Amount
		for u := range m.Read(context.Background(), true) {
			sum += u.Processes
		}
		return sum == services.Amount(4*servers)
	})
	return m
}
