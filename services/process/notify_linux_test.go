package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// listening has the host hand over what servers say.
func (b *bench) listening() <-chan Notice {
	ctx, cancel := context.WithCancel(context.Background())
	heard, done := make(chan Notice, 16), make(chan error, 1)
	begun := make(chan struct{})
	go func() { done <- b.Notices(ctx, func() { close(begun) }, func(n Notice) { heard <- n }) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	})
	wait(b.t, "somebody listens", begun)
	return heard
}

func next[T any](t *testing.T, heard <-chan T) T {
	t.Helper()
	select {
	case n := <-heard:
		return n
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was heard within 10 s")
	}
	panic("unreachable")
}

func TestARealClientOfSdNotifyIsHeard(t *testing.T) {
	if _, err := exec.LookPath("systemd-notify"); err != nil {
		t.Skip("systemd-notify is not installed (Debian's package systemd)")
	}
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "notify", without)
		heard := b.listening()
		s := self("obedient")
		s.Ready, s.Watchdog = &services.Probe{Notify: true}, services.Pulse{Every: 3 * time.Second}
		s.Command = services.Command{Shell: `test "$WATCHDOG_USEC" = 3000000 && systemd-notify --ready --status='serving  3 clients' && systemd-notify WATCHDOG=1 && systemd-notify STOPPING=1 && sleep 1000`}
		p := b.start(s)
		n := next(t, heard)
		if n.Server != "a" || n.Run != p.Run().ID || !n.Ready || n.Status == nil || *n.Status != "serving 3 clients" {
			t.Errorf("heard %+v", n)
		}
		if n := next(t, heard); !n.Watchdog || n.Ready {
			t.Errorf("heard %+v", n)
		}
		if n := next(t, heard); !n.Stopping {
			t.Errorf("heard %+v", n)
		}
		p.Kill()
		wait(t, "the end", p.Gone())
	})
}

func TestTheMainProcessIsTheOneThatAServerNames(t *testing.T) {
	if _, err := exec.LookPath("systemd-notify"); err != nil {
		t.Skip("systemd-notify is not installed (Debian's package systemd)")
	}
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "mainpid", without)
		heard := b.listening()
		s := self("idle")
		s.Ready = &services.Probe{Notify: true}
		s.Command = services.Command{Shell: `sleep 1000 & systemd-notify --ready --pid=$!; exit 0`}
		p := b.start(s)
		first := p.Run().Leader
		n := next(t, heard)
		main := p.Run().Leader
		if !n.Ready || n.MainPID != main.PID || main == first || !living(main) {
			t.Errorf("heard %+v, the main process is %v", n, main)
		}
		until(t, "the shell has ended", func() bool { return !living(first) })
		select {
		case <-p.Exited():
			t.Fatal("it counts as ended")
		default:
		}
		syscall.Kill(main.PID, syscall.SIGTERM)
		wait(t, "the exit", p.Exited())
		if e := p.Exit(); e.Signal != syscall.SIGTERM || !e.Seen {
			t.Errorf("exit %+v, want SIGTERM", e)
		}
		p.Kill()
		wait(t, "the end", p.Gone())
	})
}

func TestAServerCannotNameAProcessOfAnotherOneAsItsOwn(t *testing.T) {
	if _, err := exec.LookPath("systemd-notify"); err != nil {
		t.Skip("systemd-notify is not installed (Debian's package systemd)")
	}
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "mainpid-theft", without)
		heard := b.listening()
		victim := b.start(self("idle"))
		s := self("idle")
		s.Ready = &services.Probe{Notify: true}
		s.Command = services.Command{Shell: fmt.Sprintf(`systemd-notify --ready MAINPID=%d; exec sleep 1000`, victim.Run().Leader.PID)}
		p := b.start(s)
		before := p.Run()
		if n := next(t, heard); !n.Ready || n.Run != before.ID {
			t.Errorf("heard %+v", n)
		}
		if now := p.Run().Leader; now != before.Leader {
			t.Errorf("its main process is %v now, it was %v", now, before.Leader)
		}
	})
}

func TestWhoIsNoServerOfOursIsNotHeardAndLeavesNoDescriptor(t *testing.T) {
	b := open(t, "strangers", Without{})
	heard := b.listening()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := unix.Sendmsg(fd, []byte("READY=1\nBARRIER=1"), unix.UnixRights(int(writer.Fd())), &unix.SockaddrUnix{Name: notifyName(b.instance)}, 0); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if n, err := reader.Read(make([]byte, 1)); n != 0 || err == nil { // ends once the other side has closed its copy
		t.Errorf("read %d, %v", n, err)
	}
	select {
	case n := <-heard:
		t.Errorf("heard %+v", n)
	default:
	}
}

func TestANoticeIsReadLineByLine(t *testing.T) {
	n := parseNotice("READY=1\nSTATUS=a\x1b \xff b\nRELOADING=0\nSTOPPING=1\nNONSENSE\n=x\nMAINPID=77\nMAINPID=x\nMAINPID=1")
	if n.MainPID != 77 || !n.Ready || !n.Stopping || n.Reloading || n.Watchdog || n.Status == nil || *n.Status != "a\x1b � b" {
		t.Errorf("%+v", n)
	}
	if n := parseNotice(""); n != (Notice{}) {
		t.Errorf("%+v", n)
	}
}

func TestAProbeRunsAsTheServerWouldAndItsProcessesAreNot(t *testing.T) {
	b := open(t, "probe", Without{})
	s := self("obedient")
	s.Dir, s.Env = t.TempDir(), map[string]string{"COLOUR": "blue"}
	sh := func(ctx context.Context, script string) error {
		return b.Probe(ctx, s, []string{"sh", "-c", script})
	}
	if err := sh(t.Context(), `test "$COLOUR" = blue && test "$PWD" = "`+s.Dir+`" && test -z "$TEND_RUN"`); err != nil {
		t.Error(err)
	}
	for script, says := range map[string]string{
		"echo one; echo last words >&2; exit 3": "sh exited with code 3: last words",
		"kill -9 $$":                            "sh killed by SIGKILL",
		"exit 4":                                "sh exited with code 4",
		"yes | head -c 1000000; exit 1":         "sh exited with code 1: y",
	} {
		if err := sh(t.Context(), script); err == nil || err.Error() != says {
			t.Errorf("%s: %v, want %s", script, err, says)
		}
	}
	if err := b.Probe(t.Context(), s, []string{"./missing"}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a program that is not there: %v", err)
	}
	pidFile := s.Dir + "/pid"
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- sh(ctx, "sleep 1000 & echo $! > "+pidFile+".new && mv "+pidFile+".new "+pidFile+"; wait")
	}()
	until(t, "the probe has a child", func() bool { _, err := os.Stat(pidFile); return err == nil })
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("broken off: %v", err)
	}
	pid, _ := os.ReadFile(pidFile)
	until(t, "its child has ended", func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

// TestTheLastWordsOfAServerAreHeardBeforeItsEnd: what was still in the socket
// when a server ended came after its end, and was nobody's.
func TestTheLastWordsOfAServerAreHeardBeforeItsEnd(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "lastwords", without)
		heard := b.listening()
		const words = 20 // more than wait here: some are in the socket when it ends
		s := self("talkative", fmt.Sprint(words))
		s.Ready = &services.Probe{Notify: true}
		p := b.start(s)
		pid := p.Run().Leader.PID
		until(t, "it has ended", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(stat), ") Z ")
		})
		for i := range words {
			if n := next(t, heard); n.Run != p.Run().ID || n.Status == nil || *n.Status != fmt.Sprint(i) {
				t.Fatalf("word %d: %+v", i, n)
			}
			select {
			case <-p.Exited():
				if i+1 < words-cap(heard) { // the rest waits here
					t.Fatalf("it is over before word %d was heard", i+1)
				}
			default:
			}
		}
		wait(t, "the end", p.Exited())
		if exit := p.Exit(); exit.Code != 3 {
			t.Errorf("it has ended with %+v", exit)
		}
		p.Kill()
		wait(t, "the end of its tree", p.Gone())
	})
}

// Of a run that an earlier manager has started nobody knows whether it speaks.
func TestWhoHasSpokenIsKnownToSpeak(t *testing.T) {
	b := open(t, "spoken", Without{})
	p := b.start(self("idle"))
	b.spoke("nobody")
	if p.speaks.Load() {
		t.Error("it speaks, they say")
	}
	b.spoke(p.Run().ID)
	if !p.speaks.Load() {
		t.Error("it does not speak, they say")
	}
	p.Kill()
	wait(t, "the end", p.Gone())
}

// TestManyEndsShareTheirMarks: each mark of its own blocked a thread while
// there was no room for it.
func TestManyEndsShareTheirMarks(t *testing.T) {
	b := open(t, "marks", Without{})
	b.listening()
	before := threads(t)
	var ends sync.WaitGroup
	for range 300 {
		ends.Go(b.hearOut)
	}
	ends.Wait()
	if grown := threads(t) - before; grown > 8 {
		t.Errorf("%d threads more", grown)
	}
	b.marks.mu.Lock()
	defer b.marks.mu.Unlock()
	if b.marks.next != nil {
		t.Error("somebody still waits")
	}
}

// threads counts those of this process.
func threads(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestWhatAServerSaysWhileItIsBeingStartedIsHeard: on a busy machine a server
// said that it was ready before its run was among the live ones; that was taken
// for a stranger's, and the server never became ready.
func TestWhatAServerSaysWhileItIsBeingStartedIsHeard(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "early", without)
		p := b.start(self("obedient"))
		b.says("ready")
		run := p.Run()
		b.mu.Lock()
		delete(b.live, run.ID)
		b.mu.Unlock()
		over := b.begins(run.ID)
		of := make(chan services.Run, 1)
		go func() {
			run, _ := b.RunOf(run.Leader.PID)
			of <- run
		}()
		until(t, "it waits for the end of the start", func() bool {
			select {
			case early := <-of:
				t.Fatalf("before its start is over, what it says is that of %+v", early)
			default:
			}
			all := make([]byte, 1<<20)
			return bytes.Contains(all[:runtime.Stack(all, true)], []byte("awaitStart("))
		})
		b.keep(p)
		over()
		if got := next(t, of); got.ID != run.ID {
			t.Errorf("what it says is that of %+v", got)
		}
	})
}
