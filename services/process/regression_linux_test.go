package process

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

func TestADaemonOfAnotherServerIsNotTakenForOurs(t *testing.T) {
	b := open(t, "theft", Without{Cgroup: true})
	other := b.start(self("idle"))
	helper := services.Server{Name: "b", Command: services.Command{Shell: "env -i setsid sleep 100 & echo $!; exec sleep 100"}, Dir: "/", Umask: -1}
	second := b.start(helper)
	var child int
	until(t, "the helper has a session of its own", func() bool {
		text, _ := os.ReadFile(b.log)
		child, _ = strconv.Atoi(string(trimmed(text)))
		s, err := readStat(child)
		return err == nil && s.session == child
	})
	defer syscall.Kill(child, syscall.SIGKILL)
	// Its parent ends: nothing says any more where it belongs.
	second.Signal(syscall.SIGKILL, services.ToMain)
	until(t, "it came back to us", func() bool { s, err := readStat(child); return err == nil && s.parent == os.Getpid() })
	run := other.Run()
	if strays := b.strays(run, programOf(run.Leader.PID), nil); len(strays) > 0 {
		t.Errorf("%v would be followed", strays)
	}
}

func trimmed(text []byte) []byte {
	for i, c := range text {
		if c == '\n' {
			return text[:i]
		}
	}
	return nil
}

func TestTheManagerIsNoMemberOfAServerThatItWasStartedBy(t *testing.T) {
	b := open(t, "within", Without{})
	p := b.start(self("stubborn"))
	b.says("ready")
	dir := p.Run().Cgroup
	home, err := ownCgroup()
	if err != nil {
		t.Fatal(err)
	}
	enter := func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
	}
	if err := enter(dir); err != nil {
		t.Skipf("we cannot move: %v", err)
	}
	defer enter(filepath.Join(b.cgroups.mount, home))
	inner, err := New(Options{Instance: salted("within"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- inner.Run(ctx) }()
	defer func() { cancel(); <-done }()
	found, err := inner.Find([]services.Run{p.Run()})
	if err != nil || len(found) != 1 || found[0].Leader != p.Run().Leader {
		t.Fatalf("found %v, %v", found, err)
	}
	adopted, err := inner.Adopt(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if ids, _ := inner.members(adopted.Run()); len(ids) != 1 {
		t.Errorf("the members are %v", ids)
	}
	adopted.Kill() // of which we would die, too
	wait(t, "the end of the tree", adopted.Gone())
}

func TestWithoutDescriptorsNobodyIsTakenForGone(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "starved", without)
		p := b.start(self("idle"))
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		none := limit
		none.Cur = 3
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
			t.Fatal(err)
		}
		ids, sure := b.members(p.Run())
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if len(ids) == 0 && sure {
			t.Error("it is sure that nobody is left")
		}
	})
}

// A look that began before the main process had ended does not know the daemon
// that was found to be its own at that end: it is not the last one.
func TestATreeIsNotGoneByALookFromBeforeTheEndOfItsMainProcess(t *testing.T) {
	b := open(t, "hasty", Without{Cgroup: true})
	p := b.start(self("idle"))
	daemon := exec.Command("sleep", "1000")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait() //nolint:errcheck // it was killed
	})
	s, err := readStat(daemon.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	scan := b.scanner.halt()
	over := make(chan bool)
	go func() { over <- p.lookOnce(t.Context()) }()
	until(t, "it looks", func() bool { return scan() != nil })
	p.mu.Lock()
	p.run.Members = []services.Identity{s.Identity}
	p.mu.Unlock()
	syscall.Kill(p.Run().Leader.PID, syscall.SIGKILL)
	wait(t, "the exit", p.Exited())
	b.scanner.resume()
	if <-over {
		t.Error("the tree counts as gone while a member lives")
	}
}

// What was alive when all processes were looked at and is dead when its cgroup
// is, was once found again by its mark, as a run without a cgroup, which stayed.
func TestARunThatEndsWhileAllAreLookedAtIsNotFoundByItsMark(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "brief", without)
		p := b.start(self("idle"))
		until(t, "it bears its mark", func() bool {
			m, _ := readMark(p.Run().Leader.PID)
			return m.run == p.Run().ID
		})
		before := look(b.instance)
		p.Kill()
		wait(t, "the end of the tree", p.Gone())
		found, err := b.find(before, []services.Run{p.Run()})
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range found {
			if run.ID == p.Run().ID && run.Cgroup != p.Run().Cgroup {
				t.Errorf("found %+v", run)
			}
		}
	})
}

func TestOldCgroupsAreRemovedWhileServersComeAndGo(t *testing.T) {
	b := open(t, "tidy", Without{})
	busy, old := time.After(3*tidyPause), 0
	for over := false; !over; {
		p := b.start(self("crash"))
		wait(t, "the exit", p.Exited())
		p.Kill()
		wait(t, "the end of the tree", p.Gone())
		select {
		case <-busy:
			over = true
		default:
		}
		old++
	}
	until(t, "few are left", func() bool {
		left := 0
		entries, _ := os.ReadDir(b.cgroups.base)
		for _, e := range entries {
			if e.IsDir() {
				left++
			}
		}
		return left < max(old/2, 3)
	})
}

// halt has those who look wait, and returns how to see for what.
func (s *scanner) halt() func() *scan {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = true
	return func() *scan {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.next
	}
}

// resume lets those look who wait.
func (s *scanner) resume() {
	s.mu.Lock()
	s.busy = false
	waiting := s.next
	s.next = nil
	s.mu.Unlock()
	waiting.table = look(s.instance)
	close(waiting.done)
}
