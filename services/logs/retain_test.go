package logs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// numbered is the i-th line of a flood, 120 bytes with its newline.
func numbered(i int) string {
	return fmt.Sprintf("%010d %s\n", i, strings.Repeat(string(rune('a'+i%26)), 108))
}

// checkNumbered returns the number of an intact line.
func checkNumbered(t *testing.T, line Line) int {
	t.Helper()
	n, err := strconv.Atoi(string(line.Text[:min(10, len(line.Text))]))
	if err != nil || string(line.Text)+"\n" != numbered(n) {
		t.Fatalf("a torn line at %v: %q", line.Address, line.Text)
	}
	return n
}

func flood(t *testing.T, f *os.File, from, n int) {
	t.Helper()
	for i := from; i < from+n; i++ {
		write(t, f, numbered(i))
	}
}

// usage is what the log occupies on the disk.
func usage(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(st.Blocks) * 512
	}
	return info.Size()
}

// places are the directories that tests of retention run in, by what their
// file system can do.
func places(t *testing.T) map[string]string {
	out := map[string]string{"here": t.TempDir()}
	if dir, err := os.MkdirTemp("/dev/shm", "tend-logs-"); err == nil {
		out["memory"] = dir
		t.Cleanup(func() { _ = os.RemoveAll(dir) }) // as t.TempDir would
	}
	return out
}

func TestAFloodIsKeptSmallWhileFollowersSeeEveryLine(t *testing.T) {
	const limit = 4 << 20
	lines := 400_000
	if testing.Short() {
		lines = 150_000
	}
	for name, dir := range places(t) {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, dir)
			b.keep()
			f := b.begin("api", limit)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			// The writer waits for those who follow, so that none is overtaken.
			const followers, ahead = 3, 20_000
			turns := make(chan struct{}, followers*lines/ahead+followers)
			var group sync.WaitGroup
			for range followers {
				group.Go(func() {
					next := 0
					for line, err := range b.store.Read(ctx, "api", Query{Tail: -1, Follow: true}) {
						if err != nil {
							t.Error(err)
							return
						}
						if line.Partial {
							t.Error("a line was shown in two parts")
							return
						}
						if n := checkNumbered(t, line); n != next {
							t.Errorf("line %d came where %d was due", n, next)
							return
						}
						if next++; next%ahead == 0 || next == lines {
							turns <- struct{}{}
						}
						if next == lines {
							return
						}
					}
				})
			}
			for i := 0; i < lines; i += ahead {
				flood(t, f, i, min(ahead, lines-i))
				for range followers {
					select {
					case <-turns:
					case <-ctx.Done():
						t.Fatal("a follower fell silent")
					}
				}
			}
			group.Wait()
			until(t, "the log is small", func() bool { return usage(t, b.path("api.log")) <= limit+64<<10 })
			got := b.read("api", Query{Tail: -1})
			if kept := len(got) * 120; kept < limit/2 {
				t.Errorf("only %d bytes are left", kept)
			}
			for i, line := range got {
				if n := checkNumbered(t, line); n != lines-len(got)+i {
					t.Fatalf("line %d of what is left is number %d", i, n)
				}
				if line.Address != (Address{1, int64(lines-len(got)+i) * 120}) {
					t.Fatalf("number %d is at %v", lines-len(got)+i, line.Address)
				}
				if line.At.IsZero() {
					t.Fatalf("line at %v has no time", line.Address)
				}
			}
			if m := b.messages(); m != "" {
				t.Errorf("events: %s", m)
			}
		})
	}
}

func TestAQuietLogIsPlainAgain(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.keep()
	f := b.begin("api", 1<<20)
	flood(t, f, 0, 30_000)
	l, err := b.store.log("api")
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the head is gone, and no more than is kept is left", func() bool { // it goes in steps
		info, err := os.Stat(b.path("api.log"))
		l.mu.RLock()
		defer l.mu.RUnlock()
		return err == nil && l.cur.Base > 0 && l.cur.Start == 0 && info.Size() <= 1<<20 || l.way == punch && l.cur.Start > 0
	})
	l.mu.RLock()
	way := l.way
	l.mu.RUnlock()
	if way == punch {
		t.Skip("this file system cannot remove the head of a file")
	}
	text, err := os.ReadFile(b.path("api.log"))
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 1<<20 || bytes.IndexByte(text, 0) >= 0 {
		t.Errorf("the file has %d bytes, with NUL at %d", len(text), bytes.IndexByte(text, 0))
	}
}

// burst has a server write more than a burst may have, and keeps it.
func (b *bench) burst(server string, limit int64) *log {
	b.t.Helper()
	f := b.begin(server, limit)
	l, err := b.store.log(server)
	if err != nil {
		b.t.Fatal(err)
	}
	for n := 0; l.cur.kept() < (gushMost+1)*limit; n += 10 {
		flood(b.t, f, n, 10)
		l.refresh(time.Now())
	}
	l.retain(gush)
	if l.way == none {
		b.t.Skip("nothing can be freed here")
	}
	return l
}

func TestABurstThatIsSetAsideIsKeptSmall(t *testing.T) {
	b := newBench(t, t.TempDir(), func(o *Options) { o.way = punch })
	const limit = 256 << 10
	b.burst("api", limit)
	b.begin("api", limit)
	if got := usage(t, b.path("api.log.1")); got > limit || got < limit/2 {
		t.Errorf("%d bytes of the run before are left, of %d", got, limit)
	}
}

func TestAPunchedLogBeginsANewFileAtTheNextRun(t *testing.T) {
	for _, c := range []struct {
		name string
		way  way
		want string
	}{{"punch", punch, ""}, {"none", none, ""}} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, t.TempDir(), func(o *Options) { o.way = c.way })
			f := b.begin("api", 64<<10)
			flood(t, f, 0, 1000)
			keepOnce(t, b, "api")
			if got := b.read("api", Query{Tail: 1}); checkNumbered(t, got[0]) != 999 {
				t.Errorf("last line %q", got[0].Text)
			}
			first := checkNumbered(t, b.read("api", Query{Tail: -1})[0])
			f = b.begin("api", 64<<10)
			flood(t, f, 1000, 100)
			got := b.read("api", Query{Tail: -1})
			for i, line := range got {
				if n := checkNumbered(t, line); n != first+i {
					t.Fatalf("number %d, want %d", n, first+i)
				}
			}
			if first+len(got) != 1100 {
				t.Errorf("%d lines from %d", len(got), first)
			}
			if info, err := os.Stat(b.path("api.log")); err != nil || info.Size() != 12000 {
				t.Errorf("the new file: %v %v", info, err)
			}
			if got := b.read("api", Query{Tail: 101}); len(got) != 101 || checkNumbered(t, got[0]) != 999 {
				t.Errorf("tail over both files: %d lines", len(got))
			}
			b.reopen(func(o *Options) { o.way = c.way })
			again := b.read("api", Query{Tail: -1})
			if len(again) != len(got) || again[0].Address != got[0].Address {
				t.Errorf("after a restart %d lines from %v", len(again), again[0].Address)
			}
			f = b.begin("api", 64<<10)
			flood(t, f, 1100, 600)
			keepOnce(t, b, "api")
			if _, err := os.Stat(b.path("api.log.1")); !os.IsNotExist(err) {
				t.Errorf("the old file is kept beside enough new lines: %v", err)
			}
			if got := b.read("api", Query{Tail: -1}); checkNumbered(t, got[len(got)-1]) != 1699 {
				t.Errorf("last %q", got[len(got)-1].Text)
			}
		})
	}
}

// keepOnce does what the keeper does at a tick.
func keepOnce(t *testing.T, b *bench, server string) {
	t.Helper()
	l, err := b.store.log(server)
	if err != nil {
		t.Fatal(err)
	}
	l.refresh(time.Now())
	l.retain(0)
}

func TestAFollowerOvertakenGoesOnAtTheOldestLine(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.keep()
	f := b.begin("api", 64<<10)
	flood(t, f, 0, 10)
	last := -1
	for line, err := range b.store.Read(t.Context(), "api", Query{Tail: -1, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		n := checkNumbered(t, line)
		if n <= last {
			t.Fatalf("%d came after %d", n, last)
		}
		if n == 5 {
			flood(t, f, 10, 5000)
			keepOnce(t, b, "api")
		}
		if last = n; n == 5009 {
			break
		}
	}
}

func TestAFollowerThatOnlyWantsThePresentSkips(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 1<<20)
	flood(t, f, 0, 10)
	l, err := b.store.log("api")
	if err != nil {
		t.Fatal(err)
	}
	l.refresh(time.Now())
	const lag, lines = 12_000, 5010
	var seen []int
	for line, err := range b.store.Read(t.Context(), "api", Query{Tail: -1, Follow: true, MaxLag: lag}) {
		if err != nil {
			t.Fatal(err)
		}
		n := checkNumbered(t, line)
		seen = append(seen, n)
		if n == 9 {
			flood(t, f, 10, lines-10)
			l.refresh(time.Now())
		}
		if n == lines-1 {
			break
		}
	}
	// What is overtaken goes on at the end, so that a reader who takes his time is there soon.
	if first := seen[10]; (lines-first)*120 > lag/skipTo || (lines-first)*120 < lag/skipTo/2 {
		t.Errorf("after line 9 came %d of %d", first, lines)
	}
}

func TestNobodyWaitsWhileAnotherFileIsMadeShort(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	b := newBench(t, t.TempDir(), func(o *Options) {
		o.fail = func(step string) error {
			if step == "compacting" {
				once.Do(func() { close(held); <-release }) // a slow disk
			}
			return nil
		}
	})
	b.keep()
	t.Cleanup(sync.OnceFunc(func() { close(release) })) // before the keeper's end is waited for
	big, other := b.begin("big", 256<<10), b.begin("other", 256<<10)
	l, err := b.store.log("big")
	if err != nil {
		t.Fatal(err)
	}
	write(t, other, numbered(0))
	flood(t, big, 0, 5000)
	unable := false
	until(t, "the big file is made short", func() bool {
		select {
		case <-held:
			return true
		default:
			l.mu.RLock()
			defer l.mu.RUnlock()
			unable = l.way == punch || l.way == none
			return unable
		}
	})
	if unable {
		t.Skip("this file system cannot make a file shorter")
	}
	next := 0
	for line, err := range b.store.Read(t.Context(), "other", Query{Tail: -1, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if n := checkNumbered(t, line); n != next {
			t.Fatalf("line %d came where %d was due", n, next)
		}
		if next++; next == 3 {
			break
		}
		write(t, other, numbered(next))
	}
	flood(t, big, 5000, 5000)
	until(t, "the big log is kept small", func() bool {
		l.mu.RLock()
		defer l.mu.RUnlock()
		return l.cur.size == 10_000*120 && l.cur.kept() <= 256<<10
	})
}

func TestABurstIsLeftAloneUntilItIsOver(t *testing.T) {
	b := newBench(t, t.TempDir())
	const limit = 256 << 10
	l := b.burst("api", limit)
	if kept := l.cur.kept(); kept > gushMost*limit || kept < (gushMost-1)*limit {
		t.Errorf("while it bursts %d bytes are kept, of %d", kept, limit)
	}
	if wait := l.patience(gush); wait > casual {
		t.Errorf("it is left alone for %v", wait)
	}
	l.retain(gush - 1)
	if kept := l.cur.kept(); kept > limit || kept < limit/2 {
		t.Errorf("after that %d bytes are kept, of %d", kept, limit)
	}
}
