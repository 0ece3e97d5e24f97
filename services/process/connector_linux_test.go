package process

import (
	"bufio"
	"encoding/binary"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"tend/services"
)

// stranger starts a server as the child of a process that is not us. When it
// ends it stays a zombie, or the kernel reaps it at once, so that nobody ever
// sees one. It returns when the server is ready.
func stranger(t *testing.T, role string, reaped bool) services.Identity {
	t.Helper()
	parent := "negligent"
	if reaped {
		parent = "careless"
	}
	cmd := exec.Command(os.Args[0], "be", parent, role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	pid, ready := 0, role == "idle"
	for lines := bufio.NewScanner(out); (pid == 0 || !ready) && lines.Scan(); {
		if lines.Text() == "ready" {
			ready = true
		} else if pid, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := readStat(pid)
	if err != nil {
		t.Fatal(err)
	}
	return s.Identity
}

// adopt takes over a server that somebody else has started.
func (b *bench) adopt(id services.Identity) *Process {
	b.t.Helper()
	p, err := b.Adopt(services.Run{ID: "strange", Server: "a", Boot: b.boot, Leader: id})
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// needConnector skips a test where the kernel does not talk to us.
func needConnector(t *testing.T) {
	t.Helper()
	c, err := openConnector()
	if err != nil {
		t.Skip(err)
	}
	c.socket.Close()
}

func TestTheExitOfAStrangersChildIsTrueOrUnknown(t *testing.T) {
	needConnector(t)
	for _, c := range []struct {
		name    string
		without Without
		seen    bool
		listens bool
	}{
		{"the pidfd tells", Without{Cgroup: true, Connector: true}, tellsExits(), false},
		{"the connector tells", Without{Cgroup: true, ExitInfo: true}, true, true},
		{"nobody tells", Without{Cgroup: true, ExitInfo: true, Connector: true}, false, false},
	} {
		for role, want := range map[string]services.Exit{
			"obedient": {Seen: true, Code: 7},
			"idle":     {Seen: true, Code: -1, Signal: syscall.SIGTERM},
		} {
			t.Run(c.name+"/"+role, func(t *testing.T) {
				b := open(t, "stranger", c.without)
				p := b.adopt(stranger(t, role, true))
				if listens := b.connector != nil; listens != c.listens {
					t.Errorf("it listens to the connector: %v", listens)
				}
				if err := p.Signal(syscall.SIGTERM, services.ToMain); err != nil {
					t.Fatal(err)
				}
				wait(t, "the exit", p.Exited())
				e, want := p.Exit(), want
				if !c.seen {
					want = services.UnknownExit(e.At)
				}
				if want.At = e.At; e != want {
					t.Errorf("exit %+v, want %+v", e, want)
				}
			})
		}
	}
}

func TestAMainThreadThatLeavesEarlyDoesNotPassForTheProcess(t *testing.T) {
	needConnector(t)
	b := open(t, "headless", Without{Cgroup: true, ExitInfo: true})
	id := stranger(t, "headless", true)
	p := b.adopt(id)
	syscall.Kill(id.PID, syscall.SIGUSR1)
	until(t, "the main thread has ended", func() bool { return !living(id) })
	select {
	case <-p.Exited():
		t.Fatal("it counts as ended")
	default:
	}
	syscall.Kill(id.PID, syscall.SIGTERM)
	wait(t, "the exit", p.Exited())
	if e := p.Exit(); e.Seen {
		t.Errorf("exit %+v, want unknown: its threads ended differently", e)
	}
}

func TestTheStatusOfAZombieIsBelievedOnlyByThoseWhoMayLook(t *testing.T) {
	id := stranger(t, "obedient", false)
	h, err := openHandle(id)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	syscall.Kill(id.PID, syscall.SIGTERM)
	h.awaitEnd(t.Context())
	nobody := witness{reaped: func(services.Identity) (syscall.WaitStatus, bool) { return 0, false }}
	if exit, ok := h.await(t.Context(), nobody); !ok || !exit.Seen || exit.Code != 7 {
		t.Errorf("exit %+v %v, want code 7", exit, ok)
	}
	if os.Getuid() != 0 {
		return // we may look at all that is ours
	}
	unprivileged(t, func() {
		if exit, ok := h.await(t.Context(), nobody); !ok || exit.Seen {
			t.Errorf("exit %+v %v, want unknown", exit, ok)
		}
	})
}

func TestNobodyListensToTheConnectorInAPidNamespaceOfItsOwn(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "be", "listen")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("we cannot make one: %v", err)
	}
	if !strings.HasPrefix(string(out), "open the proc connector: ") {
		t.Errorf("it says %q", out)
	}
}

// report is the kernel's message that a thread of a process has ended.
func report(thread, pid int, code uint32) []byte {
	m := make([]byte, exitLength)
	native := binary.NativeEndian
	native.PutUint32(m[idAt:], cnProc)
	native.PutUint32(m[idAt+4:], cnProc)
	native.PutUint32(m[whatAt:], exitEvent)
	native.PutUint64(m[stampAt:], monotonic())
	native.PutUint32(m[exitAt:], uint32(thread))
	native.PutUint32(m[exitAt+4:], uint32(pid))
	native.PutUint32(m[exitAt+8:], code)
	return m
}

func TestTheConnectorHearsOnlyWholeReportsOfWhomItFollows(t *testing.T) {
	changed := func(at int, to byte) []byte {
		m := report(42, 42, 9<<8)
		for i := range 4 {
			m[at+i] = to
		}
		return m
	}
	early := report(42, 42, 9<<8)
	c := &connector{deaths: map[int]*death{}}
	d := c.follow(42)
	whole := report(42, 42, 7<<8)
	for n := range whole {
		c.hear(whole[:n])
	}
	for name, m := range map[string][]byte{
		"nothing":                  nil,
		"another connector":        changed(idAt, 2),
		"another of its values":    changed(idAt+4, 2),
		"a fork":                   changed(whatAt, 1),
		"ones":                     changed(whatAt, 0xff),
		"another process":          report(43, 43, 9<<8),
		"no process":               report(-1, -1, 9<<8),
		"another thread":           report(44, 42, 9<<8),
		"a main thread of another": report(42, 43, 9<<8),
		"an earlier process":       early,
	} {
		c.hear(m)
		if ws, ok := d.await(0); ok {
			t.Fatalf("after %s it believes in %v", name, ws)
		}
	}
	c.hear(append(whole, "more"...))
	c.hear(report(42, 42, 9<<8)) // a later process
	if ws, ok := d.await(unreaped); !ok || ws.ExitStatus() != 7 {
		t.Errorf("it says %v %v, want 7", ws.ExitStatus(), ok)
	}
	c.hear(report(44, 42, 7<<8))
	if _, ok := d.await(unreaped); !ok {
		t.Error("a thread that ended alike made it doubt")
	}
	c.hear(report(44, 42, 9<<8))
	if ws, ok := d.await(unreaped); ok {
		t.Errorf("its threads ended differently, and it says %v", ws)
	}
	again := c.follow(42)
	c.forget(42, d)
	if c.deaths[42] != again {
		t.Error("to forget one made it forget the next")
	}
	c.forget(42, again)
	if len(c.deaths) > 0 {
		t.Error("it follows on")
	}
}

func TestALateReportOfTheLastThreadIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &connector{deaths: map[int]*death{}}
		d := c.follow(42)
		c.hear(report(42, 42, 0))
		certain := make(chan bool, 1)
		go func() {
			_, ok := d.await(unreaped)
			certain <- ok
		}()
		synctest.Wait()
		c.hear(report(44, 42, 9<<8))
		if <-certain {
			t.Error("it believes the main thread, which left before")
		}
	})
}

// unprivileged calls f without CAP_SYS_PTRACE. The thread gets it back and
// lives on: its children would pass to another one.
func unprivileged(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	if err := unix.Capget(&header, &before[0]); err != nil {
		t.Fatal(err)
	}
	less := before
	less[0].Effective &^= 1 << unix.CAP_SYS_PTRACE
	if err := unix.Capset(&header, &less[0]); err != nil {
		t.Fatal(err)
	}
	defer unix.Capset(&header, &before[0])
	f()
}
