package process

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// read returns the usage of one run.
func (b *bench) read(m *Meter, p *Process) Usage {
	b.t.Helper()
	all := slices.Collect(m.Read(context.Background(), true))
	i := slices.IndexFunc(all, func(u Usage) bool { return u.Run == p.Run().ID })
	if i < 0 {
		b.t.Fatalf("the run is not among %+v", all)
	}
	return all[i]
}

func inRange(t *testing.T, what string, got, least, most float64) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s is %g, want from %g to %g", what, got, least, most)
	}
}

func TestAUsageNamesItsRun(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "named", without)
		m := b.NewMeter()
		if all := slices.Collect(m.Read(context.Background(), true)); len(all) != 0 {
			t.Errorf("nothing runs, and it reads %+v", all)
		}
		p := b.start(self("obedient"))
		b.says("ready")
		u, run := b.read(m, p), p.Run()
		if u.Server != "a" || u.Run != run.ID || !u.Started.Equal(run.StartedAt) || u.MemoryKind != services.MemoryRSS && u.MemoryKind != services.MemoryCgroup {
			t.Errorf("it is %+v of %+v", u, run)
		}
	})
}

// TestAUsageThatHasNotChangedIsToldOnce reads only what is new, where nobody is
// asked for who has just done something.
func TestAUsageThatHasNotChangedIsToldOnce(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "told", without)
		m := b.NewMeter()
		p := b.start(self("obedient"))
		b.says("ready")
		told := func(all bool) int { return len(slices.Collect(m.Read(t.Context(), all))) }
		if n := told(false); n != 1 {
			t.Errorf("of a new run %d usages are told", n)
		}
		until(t, "it does nothing", func() bool { return told(false) == 0 })
		if n := told(true); n != 1 {
			t.Errorf("of all runs %d usages are told", n)
		}
		r := m.runs[p.Run().ID]
		r.told = false // somebody was overlooked
		if n := told(false); n != 1 {
			t.Errorf("after one that was overlooked %d usages are told", n)
		}
		r.usage.Memory, r.cgroup, r.members = 1, -1, nil // it has changed
		if n := told(false); n != 1 {
			t.Errorf("of one that has changed %d usages are told", n)
		}
		p.Kill()
		<-p.Gone()
		until(t, "a run that is gone is not told", func() bool { return told(false) == 0 && len(m.runs) == 0 })
	})
}

func TestTheWholeTreeIsMeasured(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "measured", without)
		m := b.NewMeter()
		p := b.start(self("family"))
		b.says("ready")
		until(t, "four of them run", func() bool { return b.read(m, p).Threads >= 4*3 })
		u := b.read(m, p)
		if u.Processes != 4 {
			t.Errorf("%d processes, want 4", u.Processes)
		}
		inRange(t, "memory in MB", float64(u.Memory)/1e6, 4, 200)
		inRange(t, "files", float64(u.Files), 4*3, 4*12)
		if u.CPU < 0 || u.CPU > 5*time.Second {
			t.Errorf("it has used %v", u.CPU)
		}
		if u.Read < 0 || u.Write < 0 {
			t.Errorf("it has read %d and written %d", u.Read, u.Write)
		}
	})
}

func TestWhoLeftTheSessionOrLostItsParentIsMeasured(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "leavers", without)
		p := b.start(self("ancestor"))
		b.says("ready")
		if without.Cgroup { // soon is good enough
			until(t, "all are written down", func() bool { return len(p.Run().Members) == 3 })
		}
		if u := b.read(b.NewMeter(), p); u.Processes != 4 {
			t.Errorf("%d processes, want 4", u.Processes)
		}
	})
}

func TestProcessorTimeIsCounted(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "burning", without)
		m := b.NewMeter()
		p := b.start(self("burn"))
		before := b.read(m, p).CPU
		b.says("burnt")
		after := b.read(m, p).CPU
		inRange(t, "what it has used", after.Seconds(), 0.95, 1.5)
		if before > after {
			t.Errorf("it went from %v to %v", before, after)
		}
	})
}

func TestWhatAnEndedChildHasUsedRemains(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		for _, role := range []string{"burner", "abandoned"} {
			b := open(t, role, without)
			m := b.NewMeter()
			p := b.start(self(role))
			last := time.Duration(0)
			until(t, "the child has burnt and ended", func() bool {
				u := b.read(m, p)
				if u.CPU < last {
					t.Fatalf("%s: it went back from %v to %v", role, last, u.CPU)
				}
				last = u.CPU
				return u.Processes == 1 && u.CPU > 900*time.Millisecond
			})
			for range 3 {
				last = b.read(m, p).CPU
			}
			inRange(t, role+": what they have used", last.Seconds(), 0.9, 2)
		}
	})
}

func TestOpenFilesAndMemoryAreCounted(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		for _, sized := range []bool{true, false} {
			b := open(t, "holding", without)
			m := b.NewMeter()
			if m.sized && !sized {
				m.sized = false // as before Linux 6.2
			}
			p := b.start(self("files"))
			b.says("ready")
			u := b.read(m, p)
			inRange(t, "files", float64(u.Files), 103, 120)
			inRange(t, "memory in MB", float64(u.Memory)/1e6, 64, 160)
			p.Kill()
			wait(t, "its end", p.Gone())
		}
	})
}

func TestStorageTrafficIsCounted(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, _ := os.ReadFile("/proc/self/io"); !wrote(text) {
			t.Skip("the temporary directory is not on storage")
		}
		b := open(t, "storing", without)
		m := b.NewMeter()
		p := b.start(self("write", path))
		b.says("ready")
		u := b.read(m, p)
		inRange(t, "MB written", float64(u.Write)/1e6, 8, 20)
		if u.Read < 0 {
			t.Errorf("it has read %d", u.Read)
		}
	})
}

func wrote(text []byte) bool {
	n, ok := valueOf(text, "write_bytes:")
	return ok && n >= 1<<20
}

func TestARunThatDoesNothingIsReadAgainInItsTurnOnly(t *testing.T) {
	b := open(t, "resting", Without{})
	m := b.NewMeter()
	p := b.start(self("obedient"))
	b.says("ready")
	r := func() *runUsage { return m.runs[p.Run().ID] }
	until(t, "it rests", func() bool { // a Go program has something to do at first
		u := b.read(m, p)
		before := r().cgroup
		return b.read(m, p) == u && r().cgroup == before
	})
	r().usage.Files = 4711 // shows whether it was read again
	again := 0
	for range 3 * patienceGroup {
		if b.read(m, p).Files != 4711 {
			again++
			r().usage.Files = 4711
		}
	}
	if again < 3 || again > 2*patienceGroup {
		t.Errorf("%d of %d passes read it again", again, 3*patienceGroup)
	}
	syscall.Kill(p.Run().Leader.PID, syscall.SIGTERM)
	wait(t, "its end", p.Exited())
	if u := b.read(m, p); u.Processes != 0 || u.Files != 0 || u.Memory > 1e6 || u.CPU <= 0 {
		t.Errorf("after its end: %+v", u)
	}
}

func TestARunThatIsGoneIsForgotten(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "forgotten", without)
		m := b.NewMeter()
		p := b.start(self("obedient"))
		b.says("ready")
		b.read(m, p)
		p.Kill()
		wait(t, "its end", p.Gone())
		until(t, "it is forgotten", func() bool { return len(slices.Collect(m.Read(context.Background(), true))) == 0 && len(m.runs) == 0 })
	})
}

func TestNestedCgroupsBelongToTheirRun(t *testing.T) {
	b := open(t, "nesting", Without{})
	m := b.NewMeter()
	p := b.start(self("family"))
	b.says("ready")
	dir := filepath.Join(p.Run().Cgroup, "below", "deeper")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(p.Run().Leader.PID)), 0); err != nil {
		t.Fatal(err)
	}
	if u := b.read(m, p); u.Processes != 4 {
		t.Errorf("%d processes, want 4", u.Processes)
	}
}

func TestWithoutDescriptorsNothingIsKnown(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "starving", without)
		m := b.NewMeter()
		p := b.start(self("obedient"))
		b.says("ready")
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		none := limit
		none.Cur = 0
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
			t.Fatal(err)
		}
		all := slices.Collect(m.Read(context.Background(), true))
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if len(all) != 1 || all[0] != unmeasured(p.Run()) {
			t.Errorf("it reads %+v", all)
		}
		if u := b.read(m, p); u.Processes != 1 || u.CPU < 0 {
			t.Errorf("afterwards it reads %+v", u)
		}
	})
}
