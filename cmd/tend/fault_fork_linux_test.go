package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// nest is a cgroup of the test's own that bounds how many processes and threads
// there are of a manager and its servers together.
type nest struct {
	t   *testing.T
	dir string
}

// newNest makes one. Make it before the ward whose managers are to live in it.
func newNest(t *testing.T, most int) nest {
	t.Helper()
	var why error
	for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		n := nest{t, filepath.Join(root, fmt.Sprintf("tend-test-%d-%d", os.Getpid(), time.Now().UnixNano()))}
		if why = os.Mkdir(n.dir, 0o755); why != nil {
			continue
		}
		if why = n.write("pids.max", most); why != nil {
			os.Remove(n.dir)
			continue
		}
		t.Cleanup(n.remove)
		return n
	}
	t.Skipf("no cgroup that bounds processes can be made here: %v", why)
	return nest{}
}

// wrap starts a program in it.
func (n nest) wrap() []string {
	return []string{"sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(n.dir, "cgroup.procs")}
}

// write writes into a file that the kernel has made.
func (n nest) write(name string, value int) error {
	f, err := os.OpenFile(filepath.Join(n.dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprint(f, value)
	return err
}

func (n nest) allow(most int) {
	n.t.Helper()
	if err := n.write("pids.max", most); err != nil {
		n.t.Fatal(err)
	}
}

// members returns the processes in it.
func (n nest) members() (pids []int) {
	text, _ := os.ReadFile(filepath.Join(n.dir, "cgroup.procs"))
	for field := range strings.FieldsSeq(string(text)) {
		pid, _ := strconv.Atoi(field)
		pids = append(pids, pid)
	}
	return pids
}

// remove ends whatever is left.
func (n nest) remove() {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		for _, pid := range n.members() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		if os.Remove(n.dir) == nil {
			return
		}
	}
	n.t.Errorf("%s cannot be removed: %v are in it", n.dir, n.members())
}

// TestAMachineThatIsFullOfProcessesStopsNoManager: where no thread could be
// made, the runtime of Go ended the manager.
func TestAMachineThatIsFullOfProcessesStopsNoManager(t *testing.T) {
	atOnce(t)
	n := newNest(t, 1000)
	w := newWard(t, 0, nil)
	w.wrap = n.wrap()
	w.configure("defaults: {command: [sleep, '1000'], backoff: {give_up: 2, min: 10ms, max: 100ms}}\n" +
		"servers: {crashed: {}, stopped: {}, steady: {}, late: {autostart: false}}\n")
	w.open()
	w.allRun("crashed", "stopped", "steady")
	heard := w.listen()
	steady := map[string]int{"steady": int(w.status("steady").PID)}
	crashed := int(w.status("crashed").PID)

	n.allow(1)
	w.do(services.Start, "late")
	w.until("late says why it does not start, and goes on trying", 10*time.Second, func() string {
		s := w.status("late")
		if s.Phase == services.BackOff && strings.Contains(s.Why, "no room for another process") && heard.count(services.EventChanged, "late: cannot start") > 4 {
			return ""
		}
		return string(s.Phase) + ": " + s.Why
	})
	syscall.Kill(crashed, syscall.SIGKILL)
	w.waitFor("crashed", services.BackOff)
	w.do(services.Stop, "stopped")
	w.waitFor("stopped", services.Stopped)
	var asking sync.WaitGroup
	for range 100 { // which wants many threads at once
		asking.Go(func() {
			if _, err := w.client.Runs(t.Context(), "steady", nil); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	w.samePIDs(steady)

	n.allow(1000)
	w.waitFor("late", services.Running)
	w.replaced("crashed", crashed)
	w.samePIDs(steady)
}

func TestAForkBombIsBoundedAndItsStopEndsAllOfIt(t *testing.T) {
	atOnce(t)
	for _, without := range []string{"", "cgroup"} {
		t.Run("without "+without, func(t *testing.T) {
			n := newNest(t, 150)
			w := newWard(t, 0, nil)
			w.wrap, w.args = n.wrap(), []string{"--without", without}
			w.configure("servers:\n  steady: {command: [sleep, '1000']}\n" +
				"  bomb: {command: 'trap \"\" TERM; b() { b & b & }; while :; do b; sleep 0.01; done 2>/dev/null', autostart: false, stop: {timeout: 100ms}}\n")
			w.open()
			w.allRun("steady")
			steady := w.pidsNow()
			w.do(services.Start, "bomb")
			w.until("the bomb has filled the nest", 20*time.Second, func() string {
				text := strings.TrimSpace(readText(t, filepath.Join(n.dir, "pids.current")))
				if now, _ := strconv.Atoi(text); now < 140 {
					return text
				}
				return ""
			})
			w.samePIDs(steady)
			w.do(services.Stop, "bomb")
			w.until("the bomb has been stopped", 30*time.Second, func() string {
				if s := w.status("bomb"); s.Phase != services.Stopped {
					return string(s.Phase) + ": " + s.Why
				}
				return ""
			})
			for _, pid := range n.members() {
				if text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(string(text), "trap") && runs(pid) {
					t.Errorf("pid %d of the bomb is alive after the stop", pid)
				}
			}
			w.samePIDs(steady)
		})
	}
}
