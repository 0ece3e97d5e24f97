package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// read returns the usage of one run.
func (b *bench) read(m *Meter, p *Process) Usage {
	b.t.Helper()
	all := m.Read(context.Background())
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
		if all := m.Read(context.Background()); len(all) != 0 {
			t.Errorf("nothing runs, and it reads %+v", all)
		}
		p := b.start(self("obedient"))
		b.says("ready")
		u, run := b.read(m, p), p.Run()
		if u.Server != "a" || u.Run != run.ID || !u.Started.Equal(run.StartedAt) || u.MemoryKind != MemoryRSS && u.MemoryKind != MemoryCgroup {
			t.Errorf("it is %+v of %+v", u, run)
		}
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

func TestTheTrafficOfAnotherUserMayBeUnknown(t *testing.T) {
	for _, tt := range []struct {
		a, b, want int64
	}{{1, 2, 3}, {-1, 2, -1}, {1, -1, -1}} {
		if got := plus(tt.a, tt.b); got != tt.want {
			t.Errorf("%d and %d are %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
	m := lone(t)
	if read, write := m.traffic(1 << 30); read != 0 || write != 0 {
		t.Errorf("a process that is gone has read %d and written %d", read, write)
	}
	if n := m.files(1 << 30); n != 0 {
		t.Errorf("a process that is gone holds %d files", n)
	}
}

func lone(t *testing.T) *Meter {
	m := (&Host{}).NewMeter()
	if err := m.proc.enter("/proc"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.proc.leave)
	return m
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
	for range 3 * patience {
		if b.read(m, p).Files != 4711 {
			again++
			r().usage.Files = 4711
		}
	}
	if again < 3 || again > 2*patience {
		t.Errorf("%d of %d passes read it again", again, 3*patience)
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
		until(t, "it is forgotten", func() bool { return len(m.Read(context.Background())) == 0 && len(m.runs) == 0 })
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
		all := m.Read(context.Background())
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

func TestAProcessHasTheRunOfItsSessionItsGroupOrItsParent(t *testing.T) {
	id := func(pid int, start uint64) services.Identity { return services.Identity{PID: pid, Start: start} }
	run := func(leader services.Identity, members ...services.Identity) *runUsage {
		return &runUsage{run: services.Run{Leader: leader, Members: members}}
	}
	a, b, gone := run(id(100, 50), id(150, 60)), run(id(200, 50)), run(id(300, 50))
	runs := map[string]*runUsage{"a": a, "b": b, "gone": gone, "nobody": nil}
	for _, tt := range []struct {
		what string
		s    member
		want string
	}{
		{"a main process", member{Identity: id(100, 50), parent: 1, session: 100}, "a"},
		{"another with its pid", member{Identity: id(100, 51), parent: 1, session: 9}, "nobody"},
		{"one that was written down", member{Identity: id(150, 60), parent: 1, session: 150}, "a"},
		{"another with that pid", member{Identity: id(150, 61), parent: 1, session: 150}, "nobody"},
		{"one of the session of a main process that is gone", member{Identity: id(400, 70), parent: 1, session: 300}, "gone"},
		{"one of the group", member{Identity: id(400, 70), parent: 1, session: 9, group: 300}, "gone"},
		{"one of an older session of that number", member{Identity: id(400, 40), parent: 1, session: 300}, "nobody"},
		{"a child with a session of its own", member{Identity: id(400, 70), parent: 200, session: 400}, "b"},
		{"a main process that another run has started", member{Identity: id(200, 50), parent: 100, session: 200}, "b"},
		{"the manager, started by a server", member{Identity: id(500, 90), parent: 200, session: 200}, "nobody"},
		{"a child of that manager", member{Identity: id(600, 90), parent: 500, session: 600}, "nobody"},
		{"a stranger", member{Identity: id(700, 90), parent: 1, session: 700}, "nobody"},
		{"its own parent", member{Identity: id(800, 90), parent: 800}, "nobody"},
	} {
		var o owners
		o.reset([]*runUsage{a, b, gone}, map[int]bool{500: true})
		for _, s := range []member{tt.s, {Identity: id(200, 50), session: 200}, {Identity: id(500, 90), parent: 200, session: 200}} {
			if _, ok := o.index[s.PID]; !ok {
				o.add(s)
			}
		}
		if got := o.of(0); got != runs[tt.want] {
			t.Errorf("%s belongs to %+v, want %s", tt.what, got, tt.want)
		}
	}
}

// A kernel without the controllers has none of these files: they are written
// here as a kernel with them would.
func TestWhatControllersCountWinsOverSums(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"cpu.stat":     "usage_usec 1500000\nuser_usec 1\nsystem_usec 2\n",
		"memory.stat":  "anon 1000\nfile 50000\nkernel 70\nshmem 234\nanon_thp 9\n",
		"io.stat":      "8:0 rbytes=100 wbytes=20 rios=1 wios=2 dbytes=7 dios=1\n259:3 rbytes=11 wbytes=3\n",
		"cgroup.procs": strconv.Itoa(os.Getpid()) + "\n1073741824\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := lone(t)
	r := &runUsage{run: services.Run{ID: "r", Server: "a", Cgroup: dir}, cgroup: -1}
	for range 2 {
		m.readGrouped(r)
		u := r.usage
		if u.CPU != 1500*time.Millisecond || u.Memory != 1234 || u.MemoryKind != MemoryCgroup || u.Read != 111 || u.Write != 23 || u.Processes != 1 {
			t.Errorf("it reads %+v", u)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	m.readGrouped(r)
	if u := r.usage; u.Processes != 0 || u.CPU != 1500*time.Millisecond {
		t.Errorf("when the cgroup is gone it reads %+v", u)
	}
}

func TestAnyNameOfAProgramIsRead(t *testing.T) {
	const rest = "S 7 8 9 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 5 0 777 1000 66 18446744073709551615 1\n"
	want := member{Identity: services.Identity{PID: 42, Start: 777}, parent: 7, group: 8, session: 9, ticks: 100, threads: 5, pages: 66}
	for _, name := range []string{"sh", "a b", ")", ") Z 1", "((", ""} {
		if got, ok := parseMember(42, []byte("42 ("+name+") "+rest)); !ok || got != want {
			t.Errorf("%q: %+v (%v), want %+v", name, got, ok, want)
		}
	}
	for _, text := range []string{"", "42", "42 (sh)", "42 (sh) S", "42 (sh) S 1 2 3"} {
		if got, ok := parseMember(42, []byte(text)); ok {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
	zombie, _ := parseMember(42, []byte("42 (sh) "+strings.Replace(rest, "S", "Z", 1)))
	if !zombie.dead {
		t.Error("a zombie counts as alive")
	}
}

func TestLongFilesAndDirectoriesAreReadWhole(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("0123456789", 9000)
	if err := os.WriteFile(filepath.Join(dir, "long"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReader()
	r.in(dir, "long")
	if got, err := r.all(); err != nil || string(got) != text {
		t.Errorf("%d of %d bytes are read (%v)", len(got), len(text), err)
	}
	r.in(dir, "none")
	if _, err := r.first(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	for i := range 3000 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.in(dir, ".")
	if got, err := r.pids(nil); err != nil || len(got) != 3000 {
		t.Errorf("%d of 3000 numbers are listed (%v)", len(got), err)
	}
}
