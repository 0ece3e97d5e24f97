package process

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestTheProcessesOfARunAreListedWithWhatTheyUse(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "list", without)
		s := self("obedient")
		s.Command = services.Command{Argv: []string{"/bin/sh", "-c", "sleep 1000 & echo ready; wait"}}
		p := b.start(s)
		b.says("ready")
		var list []services.TreeProcess
		until(t, "both processes are seen, the second as the program that it becomes", func() bool {
			list = b.List(p.Run().ID)
			return len(list) == 2 && list[1].Command == "sleep 1000"
		})
		main, child := list[0], list[1]
		if main.PID != p.Run().Leader.PID || main.Parent != os.Getpid() || !strings.HasPrefix(main.Command, "/bin/sh -c ") || main.State != "sleeping" || main.Memory <= 0 || main.Threads != 1 {
			t.Errorf("the main process is %+v", main)
		}
		if child.Parent != main.PID || child.CPU > 5 {
			t.Errorf("the child is %+v", child)
		}
		if age := time.Since(main.StartedAt.Time); age < -time.Second || age > time.Minute {
			t.Errorf("it began %v ago", age)
		}
		p.Kill()
		wait(t, "the end", p.Gone())
		if list := b.List("another"); list != nil {
			t.Errorf("a run that is not there has %+v", list)
		}
	})
}

func TestASignalReachesOneProcessOfTheRunAndNoOther(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "signal", without)
		s := self("obedient")
		s.Command = services.Command{Argv: []string{"/bin/sh", "-c", "sleep 1000 & echo ready; wait; echo the child has ended; sleep 1000"}}
		p := b.start(s)
		b.says("ready")
		run := p.Run().ID
		var list []services.TreeProcess
		until(t, "both processes are seen", func() bool { list = b.List(run); return len(list) == 2 && list[1].Command == "sleep 1000" })
		for what, pid := range map[string]int{"this test": os.Getpid(), "init": 1, "nobody": 1 << 22, "everybody": -1, "our group": 0} {
			if err := b.Signal(run, pid, syscall.SIGKILL); services.KindOf(err) != services.NotFound {
				t.Errorf("a signal for %s: %v", what, err)
			}
		}
		if err := b.Signal(run, list[1].PID, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		b.says("the child has ended")
		if err := b.Signal(run, list[0].PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		p.Kill() // its second child
		wait(t, "the end", p.Gone())
		if err := b.Signal(run, list[0].PID, syscall.SIGKILL); services.KindOf(err) != services.NotFound {
			t.Errorf("a signal after the end: %v", err)
		}
	})
}
