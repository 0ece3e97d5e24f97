package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// world is a pid namespace of the test's own, in which the next pid can be
// chosen.
type world struct {
	t    *testing.T
	init int // its pid 1, as we see it
}

func newWorld(t *testing.T) world {
	t.Helper()
	if out, err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", "echo 300 > /proc/sys/kernel/ns_last_pid").CombinedOutput(); err != nil {
		t.Skipf("no pid namespace can be made here: %v %s", err, out)
	}
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", "trap : CHLD; while :; do sleep 1000 & wait; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		if one := childrenOf(cmd.Process.Pid); len(one) == 1 {
			return world{t, one[0]}
		}
		if time.Now().After(deadline) {
			t.Fatal("the namespace has no process")
		}
	}
}

func (o world) enter(argv ...string) []string {
	return append([]string{"nsenter", "--target", fmt.Sprint(o.init), "--pid", "--mount"}, argv...)
}

// run runs a script in it and returns what it prints.
func (o world) run(script string) string {
	o.t.Helper()
	argv := o.enter("sh", "-c", script)
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		o.t.Fatalf("%s: %v %s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// occupy starts a stranger that has the given pid in the namespace: a process
// in a session of its own, or such a one that has left two children behind.
func (o world) occupy(pid int, gone bool) {
	o.t.Helper()
	stranger := `exec ` + strange
	if gone {
		stranger = strange + ` & ` + strange + ` & exit`
	}
	for range 50 { // the tests are not alone in forking there
		got := o.run(fmt.Sprintf(`echo %d > /proc/sys/kernel/ns_last_pid; setsid sh -c '%s' >/dev/null 2>&1 & echo $!`, pid-1, stranger))
		if got == fmt.Sprint(pid) {
			return
		}
	}
	o.t.Fatalf("no stranger gets pid %d", pid)
}

// strange is what strangers run, and nobody else in the namespace.
const strange = "sleep 1234"

// strangers counts those that live.
func (o world) strangers() (n int) {
	all := o.run(`for p in /proc/[0-9]*; do tr '\0' ' ' < $p/cmdline; echo; done 2>/dev/null; true`)
	for command := range strings.Lines(all) {
		if strings.TrimSpace(command) == strange {
			n++
		}
	}
	return n
}

func TestAPidThatBelongsToAnotherProcessAfterTheRestartIsLeftAlone(t *testing.T) {
	atOnce(t)
	for _, without := range []string{"", "cgroup"} {
		for _, gone := range []bool{false, true} {
			t.Run(fmt.Sprintf("without %s, the stranger has left its children: %v", without, gone), func(t *testing.T) {
				o := newWorld(t)
				w := newWard(t, 0, nil)
				w.wrap, w.args = o.enter(), []string{"--without", without}
				w.tickers("", "a")
				w.open()
				before := w.waitFor("a", services.Running)
				manager := childrenOf(w.manager.Process.Pid)[0]
				w.until("the run is written down", 5*time.Second, func() string {
					text, _ := os.ReadFile(filepath.Join(w.dir, ".tend", "state.json"))
					if !strings.Contains(string(text), before.Run) {
						return string(text)
					}
					return ""
				})
				server := childrenOf(manager)
				syscall.Kill(manager, syscall.SIGKILL)
				w.manager.Wait()
				for _, pid := range server {
					syscall.Kill(pid, syscall.SIGKILL)
				}
				w.until("the server is gone", 5*time.Second, func() string {
					return strings.TrimSpace(o.run(fmt.Sprintf("cat /proc/%d/comm 2>/dev/null || true", before.PID)))
				})
				want := 1
				if gone {
					want = 2
				}
				o.occupy(int(before.PID), gone)
				w.until("the strangers have begun", 5*time.Second, func() string {
					there := o.run(fmt.Sprintf("test ! -e /proc/%d || echo there", before.PID)) != ""
					if n := o.strangers(); n != want || there == gone {
						return fmt.Sprintf("%d of %d, the one with the pid is there: %v", n, want, there)
					}
					return ""
				})

				w.open()
				after := w.waitFor("a", services.Running)
				if after.PID == before.PID || after.Adopted || after.Run == before.Run {
					t.Errorf("it has taken the stranger over: %+v", after)
				}
				w.do(services.Stop, "a")
				w.waitFor("a", services.Stopped)
				if n := o.strangers(); n != want {
					t.Errorf("%d strangers are alive, %d were", n, want)
				}
				syscall.Kill(childrenOf(w.manager.Process.Pid)[0], syscall.SIGTERM)
				w.ended()
				if n := o.strangers(); n != want {
					t.Errorf("%d strangers are alive after the end, %d were", n, want)
				}
			})
		}
	}
}

// amend changes the records in the state file of a manager that has ended.
func (w *ward) amend(change func(record map[string]any)) {
	w.t.Helper()
	path := filepath.Join(w.dir, ".tend", "state.json")
	var file map[string]any
	if err := json.Unmarshal([]byte(readText(w.t, path)), &file); err != nil {
		w.t.Fatal(err)
	}
	for _, record := range file["servers"].([]any) {
		change(record.(map[string]any))
	}
	text, err := json.Marshal(file)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestAfterARebootNothingIsTakenOverAndWantsAreKept(t *testing.T) {
	atOnce(t)
	w := newWard(t, 0, nil)
	w.tickers("", "a", "b", "down")
	w.open()
	w.allRun("a", "b", "down")
	w.do(services.Stop, "down")
	w.waitFor("down", services.Stopped)
	before := w.pidsNow()
	w.kill()
	for _, pid := range before {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	// Since the boot its pid and even the time of its start are those of
	// somebody else.
	stranger := exec.Command("sleep", "1000")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stranger.Process.Kill(); stranger.Wait() })
	w.amend(func(record map[string]any) {
		run, ok := record["run"].(map[string]any)
		if !ok {
			return
		}
		run["boot"] = "11111111-2222-3333-4444-555555555555"
		run["cgroup"] = ""
		run["leader"] = map[string]any{"pid": stranger.Process.Pid, "start": startOf(t, stranger.Process.Pid)}
	})
	w.open()
	for _, name := range []string{"a", "b"} {
		s := w.waitFor(name, services.Running)
		if s.Adopted || int(s.PID) == stranger.Process.Pid || s.Restarts != 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if s := w.status("down"); s.Phase != services.Stopped || s.Want != services.Down {
		t.Errorf("down is %s and wanted %s", s.Phase, s.Want)
	}
	w.do(services.Stop, "a", "b")
	w.waitFor("b", services.Stopped)
	if !runs(stranger.Process.Pid) {
		t.Error("the stranger was ended")
	}
}

// startOf returns when a process has started, as the kernel counts it.
func startOf(t *testing.T, pid int) json.Number {
	t.Helper()
	stat := readText(t, fmt.Sprintf("/proc/%d/stat", pid))
	return json.Number(strings.Fields(stat[strings.LastIndexByte(stat, ')'):])[20])
}

func TestOfManagersThatBeginAtOnceOneManagesTheDirectory(t *testing.T) {
	atOnce(t)
	w := newWard(t, 4, nil)
	buildTend(t)
	const managers = 5
	type end struct {
		cmd  *exec.Cmd
		said *said
	}
	ended := make(chan end, managers)
	var starting sync.WaitGroup
	var all []*exec.Cmd
	for range managers {
		cmd := exec.Command(buildTend(t), "serve", "--config", filepath.Join(w.dir, "tend.yaml"))
		e := end{cmd, &said{}}
		cmd.Stdout, cmd.Stderr, cmd.Dir = e.said, e.said, w.dir
		all = append(all, cmd)
		starting.Go(func() {
			if err := cmd.Start(); err != nil {
				t.Error(err)
				return
			}
			go func() { cmd.Wait(); ended <- e }()
		})
	}
	starting.Wait()
	for range managers - 1 {
		e := <-ended
		if code := e.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(e.said.String(), "in use by another tend") {
			t.Errorf("it ended with %d: %s", code, e.said.String())
		}
		all = slices.DeleteFunc(all, func(cmd *exec.Cmd) bool { return cmd == e.cmd })
	}
	w.output = &said{}
	w.settled()
	all[0].Process.Signal(syscall.SIGTERM)
	if e := <-ended; e.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("the one that managed ended with %v: %s", e.cmd.ProcessState, e.said.String())
	}
	w.over = true
}
