package process

import (
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

func TestWithoutExitInfoTheConnectorTellsHowASurvivorEnded(t *testing.T) {
	for name, c := range map[string]struct {
		without Without
		seen    bool
	}{
		"the connector tells":  {Without{ExitInfo: true}, true},
		"perhaps the zombie":   {Without{ExitInfo: true, Connector: true}, false},
		"the pidfd tells":      {Without{Connector: true}, true},
		"without a cgroup too": {Without{ExitInfo: true, Cgroup: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := openConnector(); err != nil {
				t.Skipf("the connector does not talk to us: %v", err)
			} else {
				c.socket.Close()
			}
			// It goes to init: who reaps it is not us.
			unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
			defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
			instance, ready := "told-"+strconv.Itoa(len(name)), filepath.Join(t.TempDir(), "ready")
			server := services.Server{Name: "a", Dir: "/", Umask: -1, Command: services.Command{
				Shell: "trap 'exit 7' TERM; echo > " + ready + "; while :; do sleep 0.01; done",
			}}
			run := orphan(t, instance, c.without, server, anyRun)
			b := open(t, instance, c.without)
			p, err := b.Adopt(run)
			if err != nil {
				t.Fatal(err)
			}
			until(t, "it can hear", func() bool { _, err := os.Stat(ready); return err == nil })
			if err := p.Signal(syscall.SIGTERM, services.ToMain); err != nil {
				t.Fatal(err)
			}
			wait(t, "the exit", p.Exited())
			if e := p.Exit(); c.seen && !e.Seen || e.Seen && e.Code != 7 {
				t.Errorf("exit %+v, want code 7 where it is seen, which must be so: %v", e, c.seen)
			}
		})
	}
}

func TestTheConnectorHearsOnlyWholeMessagesAboutWhomItFollows(t *testing.T) {
	c := &connector{deaths: map[int]*death{}}
	d := c.follow(42)
	message := func(what uint32, thread, pid int, code uint32) []byte {
		m := make([]byte, exitLength)
		binary.NativeEndian.PutUint32(m[whatAt:], what)
		binary.NativeEndian.PutUint32(m[exitAt:], uint32(thread))
		binary.NativeEndian.PutUint32(m[exitAt+4:], uint32(pid))
		binary.NativeEndian.PutUint32(m[exitAt+8:], code)
		return m
	}
	whole := message(exitEvent, 42, 42, 7<<8)
	for n := range len(whole) {
		c.hear(whole[:n])
	}
	c.hear(nil)
	c.hear(message(1, 42, 42, 9<<8))
	c.hear(message(exitEvent, 43, 43, 9<<8))
	c.hear(message(exitEvent, 44, 42, 9<<8)) // another of its threads
	if ws, ok := d.status(); ok {
		t.Fatalf("it believes in %v", ws)
	}
	c.hear(whole)
	c.hear(message(exitEvent, 42, 42, 9<<8)) // of a later process
	if ws, ok := d.status(); !ok || ws.ExitStatus() != 7 {
		t.Errorf("it says %v %v, want 7", ws.ExitStatus(), ok)
	}
	c.forget(42, d)
	if len(c.deaths) > 0 {
		t.Error("it follows on")
	}
}

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
		entries, _ := os.ReadDir(b.cgroups.base)
		return len(entries) < max(old/2, 3)
	})
}
