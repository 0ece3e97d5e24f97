package state

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func rec(name string, want services.Want, rev uint64) services.Record {
	return services.Record{Name: name, Want: want, Phase: services.Running, Rev: rev}
}

func TestWhatIsPutIsReadByTheNextManager(t *testing.T) {
	dir := t.TempDir()
	h := run(t, dir)
	for _, r := range fixture() {
		h.Put(r)
	}
	h.Put(rec("gone", services.Up, 1))
	h.SetClean(true)
	h.flush()
	h.Forget("gone")
	h.Forget("never known")
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	next := open(t, dir)
	wantRecords(t, next.got.Records, fixture())
	if !next.got.Clean || next.got.Damage != "" || next.got.Instance != h.got.Instance {
		t.Errorf("loaded %+v", next.got)
	}
}

func TestTheNextManagerKeepsWhatItDoesNotTouch(t *testing.T) {
	dir := used(t)
	h := run(t, dir)
	changed := fixture()
	changed[1].Want, changed[1].Rev = services.Up, 99
	h.Put(changed[1])
	h.flush()
	wantRecords(t, file(t, dir).Servers, changed)
	if !file(t, dir).Clean {
		t.Error("the clean mark is gone")
	}
}

func TestTheFirstWriteAfterQuietIsImmediateAndABurstBecomesFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		h := run(t, dir)
		h.flush()
		began := time.Now()
		for round := range 3 {
			<-time.After(time.Minute)
			quiet := time.Now()
			h.Put(rec("api", services.Up, uint64(round)))
			synctest.Wait()
			if got := file(t, dir).Servers[0].Rev; got != uint64(round) || time.Since(quiet) != 0 {
				t.Errorf("after quiet: rev %d after %v", got, time.Since(quiet))
			}
		}
		h.Put(rec("api", services.Up, 10))
		synctest.Wait()
		if got := file(t, dir).Servers[0].Rev; got != 2 {
			t.Errorf("the second write was not held back: rev %d", got)
		}
		<-time.After(spacing)
		synctest.Wait()
		if got := file(t, dir).Servers[0].Rev; got != 10 {
			t.Errorf("the second write did not come: rev %d", got)
		}
		before := h.writes()
		for n := range 4000 { // two seconds
			h.Put(rec(fmt.Sprint("s", n%100), services.Up, uint64(n)))
			<-time.After(time.Millisecond / 2)
		}
		<-time.After(spacing)
		synctest.Wait()
		if n := h.writes() - before; n < 35 || n > 42 {
			t.Errorf("%d writes in two seconds", n)
		}
		if got := len(file(t, dir).Servers); got != 101 {
			t.Errorf("%d servers in the file", got)
		}
		if time.Since(began) > 10*time.Minute {
			t.Error("the time is not that of the bubble")
		}
		h.stop()
	})
}

// writes counts what was written, successfully or not.
func (h *house) writes() int { return int(h.desk.progress().tries) }

func TestWhoWaitsIsServedBeforeItsTurnButNotMoreOftenOnTheAverage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, t.TempDir())
		h.flush()
		<-time.After(time.Minute)
		began := time.Now()
		for n := range 4 {
			h.Put(rec("api", services.Up, uint64(n)))
			h.flush()
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("a few that wait in a row: %v", d)
		}
		for n := range 96 {
			h.Put(rec("api", services.Up, uint64(n)))
			h.flush()
		}
		if d := time.Since(began); d < 96*spacing-time.Millisecond || d > 96*spacing+time.Millisecond {
			t.Errorf("a hundred that wait took %v", d)
		}
		h.stop()
	})
}

func TestOnlyWantsAndTheCleanMarkAreSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, t.TempDir())
		h.flush()
		step := func(what string, synced bool, change func()) {
			t.Helper()
			<-time.After(time.Second)
			synctest.Wait()
			writes, syncs := h.writer.writes, h.writer.syncs
			change()
			synctest.Wait()
			if n := h.writer.writes - writes; n != 1 {
				t.Errorf("%s: %d writes", what, n)
			}
			if got := h.writer.syncs > syncs; got != synced {
				t.Errorf("%s: synced %v", what, got)
			}
		}
		step("a new server", true, func() { h.Put(rec("api", services.Up, 1)) })
		step("a new identity", false, func() {
			r := rec("api", services.Up, 2)
			r.Run = &services.Run{Leader: services.Identity{PID: 77}}
			h.Put(r)
		})
		step("a changed want", true, func() { h.Put(rec("api", services.Down, 2)) })
		step("an exit", false, func() {
			r := rec("api", services.Down, 4)
			exit := services.UnknownExit(time.Now())
			r.Exit = &exit
			h.Put(r)
		})
		step("the end in peace", true, func() { h.SetClean(true) })
		step("a new life", true, func() { h.SetClean(false) })
		step("a forgotten server", true, func() { h.Forget("api") })
		h.stop()
		if h.writer.syncs != 6 { // and the first file
			t.Errorf("%d syncs", h.writer.syncs)
		}
	})
}

func TestAWantThatCouldNotBeSyncedIsSyncedByTheNextWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, t.TempDir())
		h.Put(rec("api", services.Up, 1))
		h.flush()
		away := h.dir + ".away"
		h.move(h.dir, away)
		h.Put(rec("api", services.Down, 2))
		<-time.After(time.Minute)
		h.move(away, h.dir)
		syncs := h.writer.syncs
		h.Put(rec("api", services.Down, 2)) // the want is what was tried before
		h.flush()
		h.stop()
		if h.writer.syncs != syncs+1 {
			t.Errorf("%d syncs more", h.writer.syncs-syncs)
		}
	})
}

func (h *house) move(from, to string) {
	h.t.Helper()
	if err := os.Rename(from, to); err != nil {
		h.t.Fatal(err)
	}
}

func TestADiskThatFailsIsReportedOnceAndOnceWhenItWorksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, t.TempDir())
		h.flush()
		away := h.dir + ".away"
		for round := range 2 {
			before := h.writes()
			h.move(h.dir, away)
			for n := range 600 { // a minute
				h.Put(rec("api", services.Up, uint64(n)))
				<-time.After(100 * time.Millisecond)
			}
			synctest.Wait()
			if got := h.reported(); len(got) != 2*round+1 {
				t.Fatalf("reported %q", got)
			} else {
				wantSentence(t, got[2*round], filepath.Join(h.dir, fileName), "cannot be written", "no such file or directory")
			}
			if n := h.writes() - before; n < 60/5 || n > 30 {
				t.Errorf("%d attempts in a minute", n)
			}
			h.move(away, h.dir)
			<-time.After(lastRetry + spacing)
			synctest.Wait()
			if got := h.reported(); len(got) != 2*round+2 {
				t.Fatalf("reported %q", got)
			} else {
				wantSentence(t, got[2*round+1], "written again")
			}
			if got := file(t, h.dir).Servers[0].Rev; got != 599 {
				t.Errorf("the file has rev %d", got)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(h.dir, "*.tmp")); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
		h.stop()
	})
}

func TestFlushGivesTheErrorOfTheAttemptAndSucceedsAsSoonAsTheDiskDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := run(t, t.TempDir())
		h.flush()
		away := h.dir + ".away"
		h.move(h.dir, away)
		h.Put(rec("api", services.Up, 1))
		<-time.After(time.Hour) // the retries have become rare
		began := time.Now()
		if err := h.Flush(t.Context()); err == nil {
			t.Error("no error from a directory that is away")
		}
		h.move(away, h.dir)
		h.flush()
		if d := time.Since(began); d > spacing {
			t.Errorf("who waits is not made to wait for the next retry, but it took %v", d)
		}
		h.stop()
	})
}

func TestFlushEndsWithItsContextOrTheWriter(t *testing.T) {
	h := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Flush(ctx); services.KindOf(err) != services.Unavailable {
		t.Errorf("nobody writes and the context has ended: %v", err)
	}
	if err := h.Run(ctx); err != nil { // writes the first file and ends
		t.Fatal(err)
	}
	if err := h.Flush(t.Context()); err != nil {
		t.Errorf("all is written: %v", err)
	}
	h.Put(rec("api", services.Up, 1))
	if err := h.Flush(t.Context()); services.KindOf(err) != services.Unavailable {
		t.Errorf("after the writer's end: %v", err)
	}
}

func TestTheWriterWritesWhatIsLeftWhenItEnds(t *testing.T) {
	dir := t.TempDir()
	h := run(t, dir)
	h.flush()
	for n := range 100 {
		h.Put(rec("api", services.Up, uint64(n)))
	}
	if err := h.stop(); err != nil {
		t.Fatal(err)
	}
	if got := file(t, dir).Servers[0].Rev; got != 99 {
		t.Errorf("rev %d", got)
	}
}

func TestARecordThatCouldNotBeReadIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	h := run(t, dir)
	h.Put(rec("good", services.Up, 1))
	h.Put(services.Record{Name: "bad", Want: "sideways", Phase: services.Running})
	h.Put(services.Record{Name: "worse", Want: services.Up, Phase: services.Running, Run: &services.Run{StartedAt: time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)}})
	h.flush()
	wantRecords(t, file(t, dir).Servers, []services.Record{rec("good", services.Up, 1)})
}

func TestNobodyElseCanReadAnyFileAtAnyTime(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o666); err != nil {
		t.Fatal(err)
	}
	// What an attacker, or a manager that was killed, could have left.
	if err := os.Symlink(victim, filepath.Join(dir, fileName+".tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "instance.tmp"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	lock, err := TakeLock(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	h := run(t, dir)
	h.flush()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("%v in the directory", entries)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s is %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if content, _ := os.ReadFile(victim); string(content) != "untouched" {
		t.Errorf("the file behind a symlink holds %q", content)
	}
}

// TestEveryFileIsOneConsistentInstant reads while many write: each server's
// revision only grows, and no file is torn.
func TestEveryFileIsOneConsistentInstant(t *testing.T) {
	dir := t.TempDir()
	h := run(t, dir)
	h.flush()
	const servers, revs = 20, 300
	var wg sync.WaitGroup
	for s := range servers {
		wg.Go(func() {
			for rev := range uint64(revs) {
				h.Put(rec(fmt.Sprintf("s%02d", s), services.Up, rev))
				if rev%50 == 0 {
					h.Flush(t.Context()) //nolint:errcheck // it is the file that counts
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()
	seen := make(map[string]uint64)
	for reading := true; reading; {
		select {
		case <-written:
			h.flush()
			reading = false
		default:
		}
		for _, r := range file(t, dir).Servers {
			if r.Rev < seen[r.Name] {
				t.Fatalf("%s went from %d back to %d", r.Name, seen[r.Name], r.Rev)
			}
			seen[r.Name] = r.Rev
		}
	}
	for s := range servers {
		if got := seen[fmt.Sprintf("s%02d", s)]; got != revs-1 {
			t.Errorf("server %d ended at %d", s, got)
		}
	}
}

// fullDisk is a store on a file system of its own that has just become full,
// and what makes it less full again.
func fullDisk(t *testing.T) (h *house, free func()) {
	t.Helper()
	dir := t.TempDir()
	if err := mountTiny(dir); err != nil {
		t.Skipf("a file system of its own needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	h = run(t, dir)
	h.Put(rec("api", services.Up, 1))
	h.flush()
	big := make([]byte, 1<<20)
	os.WriteFile(filepath.Join(dir, "big"), big, 0o600) //nolint:errcheck // it fills the disk and fails
	return h, func() {
		if err := os.Remove(filepath.Join(dir, "big")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAStopIsWrittenDownOnAFullDisk(t *testing.T) {
	h, _ := fullDisk(t)
	h.Put(rec("api", services.Down, 2))
	h.flush()
	if got := file(t, h.dir).Servers[0]; got.Rev != 2 || got.Want != services.Down {
		t.Errorf("the file holds %+v", got)
	}
	h.stop()
	if got := h.reported(); len(got) != 0 {
		t.Errorf("reported %q", got)
	}
}

func TestAFullDiskLosesNothing(t *testing.T) {
	h, free := fullDisk(t)
	long := rec("api", services.Down, 2)
	long.Why = strings.Repeat("x", 30<<10) // more than any spare of so small a file has room for
	h.Put(long)
	err := h.Flush(t.Context())
	if err == nil {
		t.Fatal("no error from a full disk")
	}
	wantSentence(t, err.Error(), "no space left on device")
	if got := file(t, h.dir).Servers[0]; got.Rev != 1 {
		t.Errorf("the old file holds %+v", got)
	}
	free()
	h.flush()
	if got := file(t, h.dir).Servers[0]; got.Rev != 2 || got.Want != services.Down {
		t.Errorf("the new file holds %+v", got)
	}
	h.stop() // what is reported is reported by then
	if got := h.reported(); len(got) != 2 {
		t.Errorf("reported %q", got)
	}
}

// BenchmarkThousand is what the writer does for a thousand servers: when all
// of them have changed, and when one has.
func BenchmarkThousand(b *testing.B) {
	for _, changed := range []int{1000, 1} {
		b.Run(fmt.Sprintf("changed=%d", changed), func(b *testing.B) {
			d := newDesk(document{}, false)
			w := newWriter(b.TempDir(), "0123456789abcdef", nil, slog.New(slog.DiscardHandler))
			r := fixture()[0]
			names := make([]string, 1000)
			note := func(n int) {
				for i := range n {
					r.Name = names[i]
					r.Rev++
					d.record(r)
				}
				notes, _ := d.take()
				notes.durable = false // what a disk takes for a sync is not ours
				w.durable = false
				if err := w.write(notes); err != nil {
					b.Fatal(err)
				}
				d.tried(notes.upTo, nil)
			}
			for i := range names {
				names[i] = fmt.Sprintf("server-%04d", i)
			}
			note(1000)
			b.ReportAllocs()
			for b.Loop() {
				note(changed)
			}
		})
	}
}

// BenchmarkPut is what a unit pays for having its record kept.
func BenchmarkPut(b *testing.B) {
	d := newDesk(document{}, false)
	r := fixture()[0]
	b.ReportAllocs()
	for b.Loop() {
		d.record(r)
	}
}
