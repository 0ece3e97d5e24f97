package process

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestAnObedientServerEndsWithItsOwnCode(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "obedient", without)
		p := b.start(self("obedient"))
		b.says("ready")
		if err := p.Signal(syscall.SIGTERM, services.ToGroup); err != nil {
			t.Fatal(err)
		}
		wait(t, "the exit", p.Exited())
		wait(t, "the end of the tree", p.Gone())
		if e := p.Exit(); !e.Seen || e.Code != 7 || e.Signal != 0 {
			t.Errorf("exit %+v, want code 7", e)
		}
	})
}

func TestAServerThatIsHaltedObeysAStop(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		for _, to := range []services.SignalTarget{services.ToGroup, services.ToMain} {
			b := open(t, "halted-"+string(to), without)
			p := b.start(self("obedient"))
			b.says("ready")
			syscall.Kill(p.Run().Leader.PID, syscall.SIGSTOP)
			until(t, "it is halted", func() bool { return len(b.Halted(p.Run().ID)) == 1 })
			if err := p.Signal(syscall.SIGTERM, to); err != nil {
				t.Fatal(err)
			}
			wait(t, "the exit", p.Exited())
			if e := p.Exit(); e.Code != 7 {
				t.Errorf("exit %+v, want code 7", e)
			}
		}
	})
}

func TestAServerThatIgnoresTermIsKilled(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "stubborn", without)
		p := b.start(self("stubborn"))
		b.says("ready")
		if err := p.Signal(syscall.SIGTERM, services.ToGroup); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.Exited():
			t.Fatal("it ended by SIGTERM")
		default:
		}
		p.Kill()
		wait(t, "the end of the tree", p.Gone())
		if e := p.Exit(); e.Signal != syscall.SIGKILL || e.Code != -1 || !e.Seen {
			t.Errorf("exit %+v, want SIGKILL", e)
		}
	})
}

func TestAStopEndsChildrenThatForkedTwiceOrLeftTheSession(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "ancestor", without)
		p := b.start(self("ancestor"))
		b.says("ready")
		var members []services.Identity
		until(t, "the tree has grown", func() bool {
			members, _ = b.members(p.Run())
			return len(members) >= 4
		})
		if err := p.Signal(syscall.SIGTERM, services.ToGroup); err != nil {
			t.Fatal(err)
		}
		wait(t, "the end of the tree", p.Gone())
		for _, id := range members {
			if living(id) {
				t.Errorf("pid %d is alive", id.PID)
			}
		}
	})
}

func TestATreeThatForksWhileItIsKilledEndsAllTheSame(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "forking", without)
		p := b.start(self("forking"))
		until(t, "it forks", func() bool { return len(alive(b, p)) > 5 })
		p.Kill()
		wait(t, "the end of the tree", p.Gone())
		if left := alive(b, p); len(left) > 0 {
			t.Errorf("alive: %v", left)
		}
	})
}

func TestWhatACrashLeavesBehindIsSwept(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "leaver", without)
		p := b.start(self("leaver"))
		wait(t, "the exit", p.Exited())
		if e := p.Exit(); e.Code != 1 {
			t.Errorf("exit %+v, want code 1", e)
		}
		p.Kill()
		wait(t, "the end of the tree", p.Gone())
	})
}

func TestAKillOfAnEmptyTreeIsOverOnReturn(t *testing.T) {
	b := open(t, "empty", Without{})
	p := b.start(self("crash"))
	wait(t, "the exit", p.Exited())
	p.Kill()
	select {
	case <-p.Gone():
	default:
		t.Error("Gone is not closed on return")
	}
}

func TestADaemonIsFollowed(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "daemon", without)
		p := b.start(self("daemon"))
		first := p.Run().Leader
		next := first
		for next == first {
			wait(t, "the change of the main process", p.Changed())
			next = p.Run().Leader
		}
		if !living(next) {
			t.Fatalf("leader %v after %v", next, first)
		}
		select {
		case <-p.Exited():
			t.Fatal("it counts as ended")
		default:
		}
		syscall.Kill(next.PID, syscall.SIGTERM)
		wait(t, "the exit", p.Exited())
		if e := p.Exit(); e.Signal != syscall.SIGTERM || !e.Seen {
			t.Errorf("exit %+v, want SIGTERM", e)
		}
	})
}

func TestTheExitOfASurvivorIsSeen(t *testing.T) {
	for _, c := range []struct {
		name string
		sig  syscall.Signal
		want services.Exit
	}{
		{"a code", syscall.SIGTERM, services.Exit{Code: 7}},
		{"a signal", syscall.SIGKILL, services.Exit{Code: -1, Signal: syscall.SIGKILL}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachTier(t, func(t *testing.T, without Without) {
				ready := filepath.Join(t.TempDir(), "ready")
				s := self("")
				s.Command = services.Command{Shell: "trap 'exit 7' TERM; echo > " + ready + "; while :; do sleep 0.01; done"}
				run := orphan(t, "survivor", without, s, anyRun)
				b := open(t, "survivor", without)
				found, err := b.Find([]services.Run{run})
				if err != nil || len(found) != 1 || found[0].Leader != run.Leader {
					t.Fatalf("found %+v, %v; want %+v", found, err, run)
				}
				p, err := b.Adopt(found[0])
				if err != nil {
					t.Fatal(err)
				}
				until(t, "it catches signals", func() bool {
					_, err := os.Stat(ready)
					return err == nil
				})
				syscall.Kill(run.Leader.PID, c.sig)
				wait(t, "the exit", p.Exited())
				if e := p.Exit(); !e.Seen || e.Code != c.want.Code || e.Signal != c.want.Signal {
					t.Errorf("exit %+v, want %+v", e, c.want)
				}
				p.Kill()
				wait(t, "the end of the tree", p.Gone())
			})
		})
	}
}

func TestARunThatNobodyWroteDownIsFound(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		run := orphan(t, "unwritten", without, self("ancestor"), anyRun)
		b := open(t, "unwritten", without)
		found, err := b.Find(nil)
		if err != nil || len(found) != 1 {
			t.Fatalf("found %+v, %v", found, err)
		}
		if f := found[0]; f.ID != run.ID || f.Server != "a" || f.Leader != run.Leader || f.Cgroup != run.Cgroup {
			t.Errorf("found %+v, want %+v", f, run)
		}
		p, err := b.Adopt(found[0])
		if err != nil {
			t.Fatal(err)
		}
		child := b.start(self("obedient"))
		syscall.Kill(run.Leader.PID, syscall.SIGSTOP)
		until(t, "it is halted, while no child is", func() bool {
			return slices.Equal(b.Halted(child.Run().ID, run.ID), []string{run.ID})
		})
		p.Kill()
		wait(t, "the end of the tree", p.Gone())
	})
}

func TestAnotherInstanceClaimsNothing(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "mine", without)
		p := b.start(self("ancestor"))
		b.says("ready")
		other := open(t, "other", without)
		found, err := other.Find(nil)
		if err != nil || len(found) != 0 {
			t.Errorf("another instance found %+v, %v", found, err)
		}
		if other.Owns(p.Run().Leader.PID) {
			t.Error("another instance owns the server")
		}
		if !b.Owns(p.Run().Leader.PID) {
			t.Error("the instance does not own its server")
		}
	})
}

func TestARunThatIsGoneCannotBeAdopted(t *testing.T) {
	b := open(t, "nothing", Without{})
	p := b.start(self("crash"))
	wait(t, "the exit", p.Exited())
	run := p.Run()
	p.Kill()
	if _, err := b.Adopt(run); services.KindOf(err) != services.NotFound {
		t.Errorf("adopt: %v, want not found", err)
	}
}

// look starts a server that tells what it sees of itself.
func (b *bench) look(s services.Server) (v view) {
	b.t.Helper()
	wait(b.t, "the exit", b.start(s).Exited())
	return b.seen()
}

// seen is what a server has told of itself.
func (b *bench) seen() (v view) {
	b.t.Helper()
	text, err := os.ReadFile(b.log)
	if err != nil || json.Unmarshal(text, &v) != nil {
		b.t.Fatalf("the server said %q, %v", text, err)
	}
	return v
}

func TestAServerStartsClean(t *testing.T) {
	stray, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer stray.Close()
	syscall.CloseOnExec(int(stray.Fd()))
	t.Setenv("NOTIFY_SOCKET", "/run/x")
	t.Setenv("LISTEN_FDS", "1")
	t.Setenv("TEND_SECRET", "1")
	t.Setenv("MAKEFLAGS", "-j")
	b := open(t, "clean", Without{})
	s := self("inside")
	s.Umask = 0o027
	s.Limits.NoFile = 512
	s.Dir = t.TempDir()
	s.Env = map[string]string{"COLOUR": "blue"}
	v := b.look(s)
	if v.Blocked != "0000000000000000" || v.Ignored != "0000000000000000" {
		t.Errorf("blocked %s, ignored %s; want none", v.Blocked, v.Ignored)
	}
	if want := []string{"/dev/null", b.log, b.log}; !slices.Equal(v.FDs[:min(3, len(v.FDs))], want) || len(v.FDs) > 3 {
		t.Errorf("descriptors %v, want %v", v.FDs, want)
	}
	if v.Umask != 0o027 || v.NoFile != 512 || v.Dir != s.Dir || !v.Leads {
		t.Errorf("umask %o, nofile %d, dir %s, leads its session %v", v.Umask, v.NoFile, v.Dir, v.Leads)
	}
	env := strings.Join(v.Env, "\n") + "\n"
	for _, want := range []string{"COLOUR=blue\n", "TEND_RUN=" + salted("clean") + ".run", "TEND_SERVER=a\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %q", want)
		}
	}
	for _, gone := range []string{"NOTIFY_SOCKET", "LISTEN_FDS", "TEND_SECRET", "MAKEFLAGS"} {
		if strings.Contains(env, gone+"=") {
			t.Errorf("the environment has %s", gone)
		}
	}
}

func TestSignalsThatTheManagerIgnoresOrBlocksAreDefaultInAServer(t *testing.T) {
	script := `trap '' TSTP TTIN TTOU PIPE HUP USR1; exec "$0" "$@"`
	cmd := exec.Command("sh", "-c", script, os.Args[0], "-test.run", "^TestAServerStartsClean$")
	stray, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer stray.Close()
	cmd.ExtraFiles = []*os.File{stray, stray, stray, stray, stray}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAServerOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	b := open(t, "user", Without{})
	s := self("inside")
	s.Command = services.Command{Shell: "id -u; id -g; echo $HOME $USER $LOGNAME"}
	s.User = "nobody"
	p := b.start(s)
	wait(t, "the exit", p.Exited())
	text, _ := os.ReadFile(b.log)
	want := nobody.Uid + "\n" + nobody.Gid + "\n" + nobody.HomeDir + " nobody nobody\n"
	if string(text) != want {
		t.Errorf("it says %q, want %q", text, want)
	}
}

func TestWhatCannotStartIsExplained(t *testing.T) {
	dir := t.TempDir()
	plain := dir + "/plain"
	script := dir + "/script"
	for path, text := range map[string]string{plain: "text", script: "#!/no/interpreter\n"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Chmod(script, 0o755)
	fifo := dir + "/fifo"
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := dir + "/bad.env"
	os.WriteFile(bad, []byte("GOOD=1\n\n1BAD=2\n"), 0o644)
	b := open(t, "explain", Without{})
	for _, c := range []struct {
		change func(*services.Server)
		want   string
	}{
		{func(s *services.Server) { s.Command.Argv = []string{"no-such-program"} }, `command "no-such-program" is not found in PATH`},
		{func(s *services.Server) { s.Command.Argv = []string{"./api"}; s.Dir = dir }, `command "./api" does not exist (looked for ` + dir + `/api)`},
		{func(s *services.Server) { s.Command.Argv = []string{plain} }, "is not executable: chmod +x"},
		{func(s *services.Server) { s.Command.Argv = []string{dir} }, "is a directory"},
		{func(s *services.Server) { s.Command.Argv = []string{script} }, "interpreter"},
		{func(s *services.Server) { s.Dir = "/no/such/dir" }, "its directory /no/such/dir does not exist"},
		{func(s *services.Server) { s.Dir = plain }, "is not a directory"},
		{func(s *services.Server) { s.User = "no-such-user" }, `user "no-such-user" does not exist`},
		{func(s *services.Server) { s.EnvFile = dir + "/none" }, "env_file " + dir + "/none cannot be read"},
		{func(s *services.Server) { s.EnvFile = fifo }, "env_file " + fifo + " is not a plain file"},
		{func(s *services.Server) { s.EnvFile = bad }, bad + ":3: a name has letters"},
	} {
		s := self("idle")
		c.change(&s)
		p, err := b.try(s)
		if err == nil {
			t.Errorf("%q: it started", c.want)
			p.Kill()
			continue
		}
		if services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q, want invalid and %q", services.KindOf(err), err, c.want)
		}
	}
}

func TestAFloodOfOutputDoesNotStopAServer(t *testing.T) {
	b := open(t, "flood", Without{})
	p := b.start(self("flood"))
	wait(t, "the exit", p.Exited())
	text, _ := os.ReadFile(b.log)
	if n := bytes.Count(text, []byte("\n")); n != 10000 || p.Exit().Code != 0 {
		t.Errorf("%d lines, exit %+v", n, p.Exit())
	}
}

func TestTheReaperStealsNoExits(t *testing.T) {
	b := open(t, "reaper", Without{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 25 {
				err := exec.Command("sh", "-c", "(sleep 0.01 &) ; exit 5").Run()
				if e := (*exec.ExitError)(nil); err == nil || !asExit(err, &e) || e.ExitCode() != 5 {
					t.Errorf("os/exec saw %v, want code 5", err)
				}
			}
		})
	}
	for range 25 {
		p := b.start(self("crash"))
		wait(t, "the exit", p.Exited())
		if e := p.Exit(); e.Code != 3 || !e.Seen {
			t.Errorf("exit %+v, want code 3", e)
		}
		p.Kill()
	}
	group.Wait()
	until(t, "no zombie is left", func() bool {
		for _, pid := range look("x").children[os.Getpid()] {
			if s, err := readStat(pid); err == nil && s.dead() {
				return false
			}
		}
		return true
	})
}

func asExit(err error, into **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*into = e
	return ok
}

func TestTheHolderOfAPortIsFoundAndEndedWithinLimits(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := open(t, "holder", Without{})
	port := l.Addr().(*net.TCPAddr).Port
	holder, held, err := b.Holder(port)
	if err != nil || !held || holder.PID != os.Getpid() || !strings.Contains(holder.Command, "process.test") {
		t.Fatalf("%+v %v %v", holder, held, err)
	}
	if err := b.KillForeign(t.Context(), holder, time.Second); services.KindOf(err) != services.Forbidden {
		t.Errorf("the manager itself: %v, want forbidden", err)
	}
	first, _ := readStat(1)
	if err := b.KillForeign(t.Context(), services.Holder{Identity: first.Identity}, time.Second); services.KindOf(err) != services.Forbidden {
		t.Errorf("pid 1: %v, want forbidden", err)
	}
	parent, _ := readStat(os.Getppid())
	if err := b.KillForeign(t.Context(), services.Holder{Identity: parent.Identity}, time.Second); services.KindOf(err) != services.Forbidden {
		t.Errorf("an ancestor: %v, want forbidden", err)
	}
	p := b.start(self("idle"))
	if err := b.KillForeign(t.Context(), services.Holder{Identity: p.Run().Leader}, time.Second); services.KindOf(err) != services.Forbidden || !strings.HasSuffix(err.Error(), "is not ended: it is a process of a: stop that") {
		t.Errorf("another server: %v, want forbidden", err)
	}
	stranger := exec.Command(os.Args[0], "be", "stubborn")
	out, _ := stranger.StdoutPipe()
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 5)) // it ignores SIGTERM by now
	s, _ := readStat(stranger.Process.Pid)
	reused := services.Holder{Identity: services.Identity{PID: s.PID, Start: s.Start - 1}}
	if err := b.KillForeign(t.Context(), reused, time.Millisecond); err != nil || !living(s.Identity) {
		t.Errorf("a pid that was used again: %v, alive %v", err, living(s.Identity))
	}
	if err := b.KillForeign(t.Context(), services.Holder{Identity: s.Identity}, 20*time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := stranger.Wait(); err == nil || living(s.Identity) {
		t.Errorf("the stranger ended with %v", err)
	}
	l.Close()
	if _, held, err = b.Holder(port); held || err != nil {
		t.Errorf("a free port: held %v, %v", held, err)
	}
}

// alive returns the living processes of a run.
func alive(b *bench, p *Process) []services.Identity {
	ids, _ := b.members(p.Run())
	return ids
}
