package logs

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// The test binary is its own writer: BENCH_WRITE=size,lines makes it write to
// stdout and tell on stderr how long that took.
func benchWriter() {
	var size, count int
	parts := strings.Split(os.Getenv("BENCH_WRITE"), ",")
	if len(parts) != 2 {
		return
	}
	size, _ = strconv.Atoi(parts[0])  // written by runWriter
	count, _ = strconv.Atoi(parts[1]) // likewise
	chunk := []byte(strings.Repeat("x", size-1) + "\n")
	start := time.Now()
	for range count {
		if _, err := syscall.Write(1, chunk); err != nil {
			os.Exit(1)
		}
	}
	_, _ = os.Stderr.WriteString(time.Since(start).String())
	os.Exit(0)
}

func runWriter(b *testing.B, out *os.File, size, bytes int) time.Duration {
	b.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "BENCH_WRITE="+strconv.Itoa(size)+","+strconv.Itoa(bytes/size))
	cmd.Stdout = out
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	cmd.Stderr = w
	err = cmd.Run()
	_ = w.Close() // the writer has its own
	text, _ := io.ReadAll(r)
	took, err2 := time.ParseDuration(string(text))
	if err != nil || err2 != nil {
		b.Fatal(err, err2)
	}
	return took
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail so
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFlood writes 512 MB by hand and into a kept log with one follower,
// and reports the ratio of their times, the CPU of the keeper, and the most
// that the log occupied in units of its limit.
func BenchmarkFlood(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
		lag  int64
	}{{"lines,page", 120, 256 << 10}, {"lines,all", 120, 0}, {"64k,page", 64 << 10, 256 << 10}} {
		b.Run(c.name, func(b *testing.B) {
			const bytes, limit = 512 << 20, 64 << 20
			var alone, kept, used time.Duration
			var most int64
			for range b.N {
				dir := b.TempDir()
				f, err := os.OpenFile(dir+"/alone", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
				if err != nil {
					b.Fatal(err)
				}
				alone += runWriter(b, f, c.size, bytes)
				_ = f.Close()           // it is not read
				_ = os.Remove(f.Name()) // nor kept

				took, spent, peak := keptFlood(b, dir, c.size, bytes, limit, c.lag)
				kept, used, most = kept+took, used+spent, max(most, peak)
			}
			b.ReportMetric(alone.Seconds()/kept.Seconds(), "ratio")
			b.ReportMetric(alone.Seconds()/float64(b.N), "alone-s")
			b.ReportMetric(used.Seconds()/float64(b.N), "keeper-cpu-s")
			b.ReportMetric(float64(most)/limit, "limits")
		})
	}
}

func keptFlood(b *testing.B, dir string, size, bytes int, limit, lag int64) (took, spent time.Duration, most int64) {
	b.Helper()
	store, err := Open(Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	go func() { ended <- store.Run(ctx) }()
	out, err := store.Begin("api", services.LogPolicy{MaxSize: limit})
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for _, err := range store.Read(ctx, "api", Query{Tail: -1, Follow: true, MaxLag: lag}) {
			if err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			var st syscall.Stat_t
			if syscall.Fstat(int(out.Fd()), &st) == nil {
				most = max(most, int64(st.Blocks)*512)
			}
			<-tick.C
		}
		ended <- nil
	}()
	before := cpu()
	took = runWriter(b, out, size, bytes)
	spent = cpu() - before
	cancel()
	for range 3 {
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
	_ = out.Close() // only the writer wrote
	store.Close()
	return took, spent, most
}

// BenchmarkQuiet reports the CPU that 1000 logs take that nobody writes to, in
// percent of a core.
func BenchmarkQuiet(b *testing.B) {
	store, err := Open(Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- store.Run(ctx) }()
	start := time.Now()
	for i := range 1000 {
		f, err := store.Begin("s"+strconv.Itoa(i), services.LogPolicy{})
		if err != nil {
			b.Fatal(err)
		}
		_, _ = f.WriteString("hello\n") // a full disk would show elsewhere
		_ = f.Close()
	}
	b.ReportMetric(time.Since(start).Seconds()*1000, "begin-1000-ms")
	warm := time.NewTimer(5 * time.Second)
	<-warm.C
	before, at := cpu(), time.Now()
	warm.Reset(5 * time.Second)
	<-warm.C
	b.ReportMetric(100*float64(cpu()-before)/float64(time.Since(at)), "%core")
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	store.Close()
}
