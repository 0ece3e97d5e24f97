package monitor

import (
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

const thousand = 1000

// bench measures passes over a thousand servers of which nothing is new, and what share of a core they
// are when there is one in each default interval.
func bench(b *testing.B, targets []Target) {
	reported := 0
	w := newWatch(Options{
		Interval: DefaultInterval, Log: slog.New(slog.DiscardHandler),
		Targets: func(out []Target) []Target { return append(out, targets...) },
		Holder:  func(int) (services.Holder, bool, error) { return services.Holder{}, false, nil },
		Report:  func(Result) { reported++ },
		Changes: func() uint64 { return 0 },
		Looked:  func(time.Time) {},
	})
	used := processorTime(b)
	b.ReportAllocs()
	for b.Loop() {
		w.begin()
		w.lookAtQueue(w.began + w.Interval)
	}
	share := float64(processorTime(b)-used) / float64(b.N) / float64(DefaultInterval)
	b.ReportMetric(100*share, "%core")
	if reported < thousand {
		b.Fatalf("%d results of %d passes", reported, b.N)
	}
}

// processorTime is what this process has used, in the kernel too: a
// connection on the loopback is made by both sides within our system call.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func thousandTargets(b *testing.B, alive, listening bool) []Target {
	targets := make([]Target, thousand)
	for i := range targets {
		targets[i] = Target{Server: fmt.Sprintf("server-%d", i), Run: "r", Alive: alive, Seen: new(atomic.Int64)}
		if listening {
			targets[i].Port, _ = listen(b, "tcp", "127.0.0.1:0")
		}
	}
	return targets
}

func BenchmarkPassOverThousandWithoutPorts(b *testing.B) { bench(b, thousandTargets(b, true, false)) }

// The backlog of each port takes 4096 connections; nobody accepts them.
func BenchmarkPassOverThousandPorts(b *testing.B) { bench(b, thousandTargets(b, true, true)) }

func BenchmarkPassOverThousandDown(b *testing.B) {
	targets := thousandTargets(b, false, false)
	for i := range targets {
		targets[i].Port = 20000 + i
	}
	bench(b, targets)
}

func BenchmarkPassOverThousandDownWithHeldPorts(b *testing.B) {
	bench(b, thousandTargets(b, false, true))
}

// BenchmarkThousandByDialer is the same as BenchmarkPassOverThousandPorts by
// the standard library, one after the other.
func BenchmarkThousandByDialer(b *testing.B) {
	targets := thousandTargets(b, true, true)
	dialer := net.Dialer{Timeout: longest, KeepAlive: -1}
	used := processorTime(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range targets {
			c, err := dialer.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", t.Port))
			if err != nil {
				b.Fatal(err)
			}
			c.(*net.TCPConn).SetLinger(0) //nolint:errcheck // measured only
			c.Close()
		}
	}
	share := float64(processorTime(b)-used) / float64(b.N) / float64(DefaultInterval)
	b.ReportMetric(100*share, "%core")
}

// BenchmarkDial is what a check by tcp cannot do without.
func BenchmarkDial(b *testing.B) {
	address := accepting(b, "127.0.0.1:0").String()
	for b.Loop() {
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}

// accepting listens and accepts whoever comes. Where it cannot listen the test is
// skipped.
func accepting(t testing.TB, address string) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr)
}

// BenchmarkTCPCheck is one check by tcp with the look at who listens there.
func BenchmarkTCPCheck(b *testing.B) {
	address := accepting(b, "127.0.0.1:0").String()
	c := &tcpCheck{address: address}
	for b.Loop() {
		if err := c.try(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
