package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// allow sets how many descriptors a process may have, 0 for not one more than
// it has, and returns the way back.
func allow(t *testing.T, pid int, n uint64) (back func()) {
	t.Helper()
	if n == 0 {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			t.Fatal(err)
		}
		n = uint64(len(open))
	}
	var before unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: before.Max}, nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAManagerWithoutDescriptorsKeepsItsServersAndStartsTheRestLater(t *testing.T) {
	atOnce(t)
	w := newWard(t, 0, nil)
	w.tickers(", backoff: {give_up: 2, max: 100ms}", "crashed", "stopped", "steady")
	w.configure(strings.TrimPrefix(readText(t, w.dir+"/tend.yaml"), "listen: 127.0.0.1:0\n") +
		"  late: {command: [sleep, '1000'], autostart: false, backoff: {give_up: 2, max: 100ms}}\n")
	w.open()
	w.allRun("crashed", "stopped", "steady")
	heard := w.listen() // its connection, like that of the orders, is there already
	steady := map[string]int{"steady": int(w.status("steady").PID)}
	crashed := int(w.status("crashed").PID)

	back := allow(t, w.manager.Process.Pid, 0)
	w.do(services.Start, "late")
	w.until("late says why it does not start, and goes on trying", 10*time.Second, func() string {
		s := w.status("late")
		if s.Phase == services.BackOff && strings.Contains(s.Why, "too many open files") && heard.count(services.EventChanged, "late: cannot start") > 4 {
			return ""
		}
		return string(s.Phase) + ": " + s.Why
	})
	syscall.Kill(crashed, syscall.SIGKILL)
	w.do(services.Stop, "stopped")
	w.samePIDs(steady)

	back()
	w.waitFor("late", services.Running)
	w.replaced("crashed", crashed)
	w.waitFor("stopped", services.Stopped)
	w.samePIDs(steady)
	for _, name := range []string{"crashed", "stopped", "late"} {
		if s := w.status(name); s.Phase == services.Failed {
			t.Errorf("%s: %s", name, s.Why)
		}
	}
	if s := w.status("crashed"); s.Exit == nil || s.Exit.Signal != syscall.SIGKILL || s.Restarts != 1 {
		t.Errorf("exit %+v after %d restarts", s.Exit, s.Restarts)
	}
	if code, _, errs := w.tend("status"); code != 0 {
		t.Errorf("status: %d %s", code, errs)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAManagerThatCannotOpenItsServersStartsNoSecondOnes: those that could not
// be taken over for want of descriptors were held for lost, and started anew.
func TestAManagerThatCannotOpenItsServersStartsNoSecondOnes(t *testing.T) {
	atOnce(t)
	for _, without := range []string{"", "cgroup"} {
		t.Run("without "+without, func(t *testing.T) {
			w := newWard(t, 0, nil)
			w.args = []string{"--without", without}
			var names []string
			for i := range 30 {
				names = append(names, fmt.Sprintf("s%02d", i))
			}
			w.configure("defaults: {command: [sleep, '1000']}\nservers: {" + strings.Join(names, ": {}, ") + ": {}}\n")
			w.open()
			w.allRun(names...)
			before := w.pidsNow()
			w.kill()
			for _, descriptors := range []string{"12", "30", "45"} {
				w.wrap = []string{"prlimit", "--nofile=" + descriptors}
				said := w.refused()
				if !strings.Contains(said, "too many open files") {
					t.Errorf("with %s descriptors: %s", descriptors, said)
				}
				for name, pid := range before {
					if !runs(pid) {
						t.Errorf("with %s descriptors it has ended %s", descriptors, name)
					}
				}
			}
			w.wrap = nil
			w.open()
			w.samePIDs(before)
		})
	}
}

// refused runs a manager that has to end by itself, with 1, and returns what it
// said.
func (w *ward) refused() string {
	w.t.Helper()
	w.start()
	if err := w.manager.Wait(); err == nil || w.manager.ProcessState.ExitCode() != 1 {
		w.t.Fatalf("it ended with %v:\n%s", err, w.output.String())
	}
	w.manager = nil
	return w.output.String()
}
