package process

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

func TestWhatAnotherUserHidesIsUnknown(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else for a moment")
	}
	b := open(t, "hidden", Without{Cgroup: true})
	b.start(self("obedient"))
	b.says("ready")
	m := b.NewMeter()
	done := make(chan Usage)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		const nobody = 65534
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
			t.Error(errno)
		}
		all := slices.Collect(m.Read(context.Background(), true))
		done <- all[0]
	}()
	u := <-done
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil { // that was lost
		t.Error(err)
	}
	if u.Read != services.Unknown || u.Write != services.Unknown || u.Processes != 1 || u.Memory <= 0 || u.Threads < 1 {
		t.Errorf("to another user it is %+v", u)
	}
}

func TestAProcessThatIsGoneHoldsNothing(t *testing.T) {
	for _, tt := range []struct {
		a, b, want int64
	}{{1, 2, 3}, {-1, 2, -1}, {1, -1, -1}} {
		if got := plus(tt.a, tt.b); got != tt.want {
			t.Errorf("%d and %d are %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
	m := lone(t)
	if read, write := m.traffic(1 << 30); read != 0 || write != 0 {
		t.Errorf("it has read %d and written %d", read, write)
	}
	if n := m.files(1 << 30); n != 0 {
		t.Errorf("it holds %d files", n)
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
		if u.CPU != 1500*time.Millisecond || u.Memory != 1234 || u.MemoryKind != services.MemoryCgroup || u.Read != 111 || u.Write != 23 || u.Processes != 1 {
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
