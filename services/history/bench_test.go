package history

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// used is the processor time of this process.
func processorTime(b testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func crashEvent(n int) services.Event {
	name := fmt.Sprintf("server-%d", n%1000)
	return services.Event{ID: uint64(n + 1), At: at(epoch.Add(time.Duration(n) * time.Millisecond)), Kind: services.EventKinds[n/1000%6], Server: name,
		Message: name + ": exited with code 1 at 12:34:56 after 1.2 s, 3rd failure in a row; next attempt at 12:34:58",
		Status:  &services.Status{ID: name, Name: name, Phase: services.BackOff, Run: fmt.Sprint(name, "-", n/6000), StartedAt: at(epoch)}}
}

// BenchmarkBurstOf100000Events is the time until all of a burst are in the file.
func BenchmarkBurstOf100000Events(b *testing.B) {
	const burst = 100_000
	events := make([]services.Event, burst)
	for i := range events {
		events[i] = crashEvent(i)
	}
	for b.Loop() {
		h := open(b, file(b))
		var before, peak runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		cpu, began := processorTime(b), time.Now()
		for _, e := range events {
			h.Event(e)
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/burst, "us/Event")
		runtime.ReadMemStats(&peak)
		h.end()
		b.ReportMetric(float64(processorTime(b)-cpu)/1e3/burst, "us-cpu/event")
		b.ReportMetric(float64(peak.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-queued")
		info, err := os.Stat(h.path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/burst, "bytes/event")
	}
}

// busy is a sample of a server that does something.
func busy(r *rand.Rand, when time.Time) services.Sample {
	cpu := 20 + 10*r.Float64()
	memory := services.Amount(200<<20 + r.IntN(4096)*4096)
	return services.Sample{At: at(when), State: services.VigourUp, CPU: cpu, CPUMax: cpu, Memory: memory, MemoryMax: memory,
		Read: services.Amount(r.IntN(100_000)), Write: services.Amount(r.IntN(100_000)), Processes: 3, Threads: 20, Files: services.Amount(50 + r.IntN(5))}
}

// fill puts samples of many servers of some time until now into a store that
// does not run, as its writer would have.
func fill(b testing.TB, h *house, servers int, until time.Time, d time.Duration, sample func(*rand.Rand, time.Time) services.Sample) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for when := until.Add(-d); when.Before(until); when = when.Add(services.FineStep) {
		for n := range servers {
			h.Sample(fmt.Sprintf("server-%d", n), sample(r, when))
		}
		if when.Unix()%minute < journal.step {
			if err := h.writer.ready(); err != nil {
				b.Fatal(err)
			}
			if err := h.writer.writeSamples(when, false); err != nil {
				b.Fatal(err)
			}
			for more := true; more; {
				var err error
				if more, err = h.writer.rollUp(when); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// BenchmarkDayOfOneServer reads 24 h of one of a thousand servers.
func BenchmarkDayOfOneServer(b *testing.B) {
	const servers = 1000
	h := build(b, file(b))
	now := time.Now()
	fill(b, h, servers, now, 25*time.Hour, busy)
	for _, points := range []int{300, 2000} {
		b.Run(fmt.Sprint(points), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := h.Samples(context.Background(), "server-50", now.Add(-24*time.Hour), now, points)
				if err != nil || len(got) < points*2/3 {
					b.Fatalf("%d samples, %v", len(got), err)
				}
			}
		})
	}
}

// BenchmarkHoursOfThousand is what the samples of a thousand servers cost, with
// the roll-up of each hour.
func BenchmarkHoursOfThousand(b *testing.B) {
	const hours = 6
	h := build(b, file(b))
	cpu, wrote := processorTime(b), written(b)
	n := time.Duration(0)
	for b.Loop() {
		n += hours * time.Hour
		fill(b, h, 1000, epoch.Add(n), hours*time.Hour, busy)
	}
	b.ReportMetric(100*float64(processorTime(b)-cpu)/float64(n), "%core")
	b.ReportMetric(float64(written(b)-wrote)/n.Seconds(), "written-bytes/s")
	info, err := os.Stat(h.path)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/n.Hours()*24/1000, "bytes/server-day")
}

// written is how many bytes this process has handed to the kernel, 0 where
// nobody counts.
func written(b *testing.B) (n int64) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "wchar: ")
	if _, err := fmt.Sscan(after, &n); err != nil {
		b.Fatal(err)
	}
	return n
}
