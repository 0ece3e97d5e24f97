package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// tend runs the real program against the ward's configuration.
func (w *ward) tend(args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(buildTend(w.t), append(args, "--config", filepath.Join(w.dir, "tend.yaml"))...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// configure replaces the servers of the ward's configuration.
func (w *ward) configure(text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "tend.yaml"), []byte("listen: 127.0.0.1:0\n"+text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.names = nil
}

func (w *ward) status(name string) services.Status {
	w.t.Helper()
	s, err := w.client.Get(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *ward) waitFor(name string, phase services.Phase) services.Status {
	w.t.Helper()
	w.until(name+" is "+string(phase), 10*time.Second, func() string {
		if s := w.status(name); s.Phase != phase {
			return string(s.Phase) + ": " + s.Why
		}
		return ""
	})
	return w.status(name)
}

// runs reports whether a process is alive; a zombie that nobody reaps is not.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAServerRunsOnThroughKillNineAndShutdownKeep(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n  b: {command: [sleep, '1000'], depends_on: [a]}\n")
	w.open()
	before := w.waitFor("a", services.Running)
	w.kill()
	w.open()
	after := w.waitFor("a", services.Running)
	if after.PID != before.PID || !after.Adopted || after.Restarts != 0 || after.Rev <= before.Rev {
		t.Errorf("before %+v after %+v", before, after)
	}
	if code, _, errs := w.tend("shutdown", "--keep"); code != 0 {
		t.Fatalf("shutdown --keep: %d %s", code, errs)
	}
	if err := w.manager.Wait(); err != nil {
		t.Fatalf("the manager ended with %v:\n%s", err, w.output.String())
	}
	w.open()
	if s := w.waitFor("a", services.Running); s.PID != before.PID {
		t.Errorf("pid %d after --keep, want %d", s.PID, before.PID)
	}
	// An adopted server is under control, and its exit is seen.
	syscall.Kill(int(before.PID), syscall.SIGUSR1)
	w.until("the exit of the survivor is noticed", 5*time.Second, func() string {
		if s := w.status("a"); s.Exit == nil || s.PID == before.PID {
			return "not yet: " + s.Why
		}
		return ""
	})
	if s := w.waitFor("a", services.Running); s.Exit.Signal != syscall.SIGUSR1 || s.Restarts != 1 {
		t.Errorf("exit %+v, %d restarts", s.Exit, s.Restarts)
	}
	if code, _, errs := w.tend("stop", "a", "b"); code != 0 {
		t.Errorf("stop: %d %s", code, errs)
	}
	w.waitFor("a", services.Stopped)
}

func TestATakenPortIsAnsweredByASentenceThatNamesTheHolder(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	code, _, errs := w.tend("serve", "--listen", l.Addr().String())
	if code != 1 || !strings.Contains(errs, fmt.Sprintf("pid %d", os.Getpid())) || !strings.Contains(errs, "--listen") || strings.Contains(errs, "goroutine") {
		t.Errorf("%d: %s", code, errs)
	}
	if entries, _ := os.ReadDir(filepath.Join(w.dir, ".tend", "logs")); len(entries) != 0 {
		t.Errorf("a server was started all the same: %v", entries)
	}
	w.open()
}

func TestASecondManagerOfADirectorySaysWhoHoldsItAndWhatToDo(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	w.open()
	code, _, errs := w.tend("serve", "--listen", "127.0.0.1:0")
	want := fmt.Sprintf("tend: the data directory %s is in use by another tend (pid %d); end a manager that runs with `tend shutdown`, or choose another directory with --data DIR\n", filepath.Join(w.dir, ".tend"), w.manager.Process.Pid)
	if code != 1 || errs != want {
		t.Errorf("%d: %s, want 1 and %s", code, errs, want)
	}
}

func TestAWrongAddressIsAnsweredWithTheNameOfItsFlag(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	w.over = true // none is to run
	t.Setenv("TMPDIR", w.dir)
	for args, want := range map[string]string{
		"serve --listen nonsense":    "tend: --listen wants an address and a port such as 127.0.0.1:3030, not \"nonsense\"\n",
		"serve --listen here:80":     "tend: --listen wants localhost or an IP address before the colon, not \"here\": 0.0.0.0 is every address of this machine\n",
		"demo --listen 127.0.0.1:no": "tend: --listen wants a port from 0 to 65535 after the colon, not \"no\"\n",
	} {
		if code, out, errs := w.tend(strings.Fields(args)...); code != 2 || out != "" || errs != want {
			t.Errorf("tend %s: %d %q %q, want 2 and %q", args, code, out, errs, want)
		}
	}
}

func TestCommandsWithoutAManagerExitWithFour(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	for _, args := range [][]string{{"status"}, {"start", "a"}, {"logs", "a"}, {"shutdown"}} {
		if code, _, errs := w.tend(args...); code != 4 || !strings.Contains(errs, "tend serve") {
			t.Errorf("tend %v: %d %s", args, code, errs)
		}
	}
	w.open()
	if code, _, errs := w.tend("start", "nobody"); code != 3 {
		t.Errorf("an unknown server: %d %s, want 3", code, errs)
	}
	if code, _, errs := w.tend("start"); code != 2 {
		t.Errorf("no server named: %d %s, want 2", code, errs)
	}
}

func TestTheMainJobOverRest(t *testing.T) {
	w := newWard(t, 0, nil)
	address := freeAddress(t)
	w.args = []string{"--listen", address}
	w.configure("servers:\n  a: {command: [sleep, '1000'], autostart: false}\n  fails: {command: [/no/such/program]}\n  dir: {command: [sleep, '1'], dir: /no/such/dir}\n")
	w.open()
	post := func(path string) (int, map[string]any) {
		t.Helper()
		res, err := http.Post("http://"+address+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var body map[string]any
		if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, body
	}
	for _, c := range []struct {
		path    string
		code    int
		success bool
	}{
		{"/api/servers/a?action=start&wait=10s", 200, true},
		{"/api/servers/a?action=start", 200, true},
		{"/api/servers/a?action=restart&wait=10s", 200, true},
		{"/api/servers/a?action=kill&wait=10s", 200, true},
		{"/api/servers/a?action=stop", 200, true},
		{"/api/servers/a?action=dance", 400, false},
		{"/api/servers/nobody?action=start", 404, false},
		{"/api/servers/a", 400, false},
	} {
		code, body := post(c.path)
		if code != c.code || body["success"] != c.success || body["message"] == "" {
			t.Errorf("%s: %d %v, want %d", c.path, code, body, c.code)
		}
	}
	for name, why := range map[string]string{"fails": "/no/such/program", "dir": "/no/such/dir"} {
		if s := w.waitFor(name, services.Failed); !strings.Contains(s.Why, why) {
			t.Errorf("%s: why %q, want it to name %s", name, s.Why, why)
		}
	}
}

func TestAForeignHolderOfAPortIsNamedAndEnded(t *testing.T) {
	w := newWard(t, 0, nil)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	stranger := exec.Command(self, "be", "listener", address)
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- stranger.Wait() }()
	t.Cleanup(func() { stranger.Process.Kill() })
	w.configure(fmt.Sprintf("monitor: {interval: 200ms}\nservers:\n  a: {command: [%q, be, listener, %q], port: %s, autostart: false}\n", self, address, port))
	w.open()
	pid := stranger.Process.Pid
	w.until("the stranger is seen", 10*time.Second, func() string {
		if s := w.status("a"); !s.Orphaned || int(s.OrphanedPID) != pid || *s.OrphanKind != services.Foreign {
			return fmt.Sprintf("%+v", s)
		}
		return ""
	})
	code, _, errs := w.tend("start", "a")
	if code != 1 || !strings.Contains(errs, fmt.Sprint(pid)) || !strings.Contains(errs, "listener") {
		t.Errorf("start: %d %s", code, errs)
	}
	if code, _, errs = w.tend("stop", "--all"); code != 0 {
		t.Errorf("stop --all: %d %s", code, errs)
	}
	select {
	case <-ended:
		t.Fatal("stop --all ended a foreign process")
	default:
	}
	if code, _, errs = w.tend("stop", "a", "--orphan", fmt.Sprint(os.Getpid())); code != 1 {
		t.Errorf("another pid: %d %s", code, errs)
	}
	if code, _, errs = w.tend("stop", "a", "--orphan", fmt.Sprint(pid)); code != 0 {
		t.Fatalf("stop --orphan: %d %s", code, errs)
	}
	<-ended
	if code, _, errs = w.tend("start", "a"); code != 0 {
		t.Errorf("start afterwards: %d %s", code, errs)
	}
	if s := w.status("a"); s.Healthy == nil || !*s.Healthy {
		t.Errorf("start returned before the port answered: %+v", s)
	}
}

func TestASurvivorThatLeftTheConfigurationIsListedAndStopped(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n  old: {command: [sleep, '1000']}\n")
	w.open()
	old := w.waitFor("old", services.Running)
	w.kill()
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	w.open()
	s := w.status("old")
	if !s.Orphaned || s.OrphanedPID != old.PID || *s.OrphanKind != services.Unconfigured {
		t.Fatalf("%+v", s)
	}
	if code, _, errs := w.tend("stop", "old"); code != 0 {
		t.Errorf("stop: %d %s", code, errs)
	}
	if runs(int(old.PID)) {
		t.Error("it is still alive")
	}
	if code, _, _ := w.tend("status", "old"); code != 3 {
		t.Errorf("status afterwards: %d, want 3", code)
	}
}

func TestAStopEndsTheWholeTree(t *testing.T) {
	for _, without := range []string{"", "cgroup"} {
		t.Run("without "+without, func(t *testing.T) {
			w := newWard(t, 0, nil)
			w.args = []string{"--without", without}
			self, _ := os.Executable()
			w.configure(fmt.Sprintf("servers:\n  a: {command: [%q, be, ancestor, %q], stop: {timeout: 300ms}}\n", self, w.dir))
			w.open()
			w.waitFor("a", services.Running)
			var pids []int
			w.until("the tree has grown", 10*time.Second, func() string {
				pids = nil
				for _, role := range []string{"child", "escaped", "orphaned", "stubborn"} {
					pid := w.number(role, ".pid")
					if pid == 0 {
						return role
					}
					pids = append(pids, pid)
				}
				return ""
			})
			if code, _, errs := w.tend("stop", "a"); code != 0 {
				t.Fatalf("stop: %d %s", code, errs)
			}
			for _, pid := range pids {
				if runs(pid) {
					t.Errorf("pid %d is alive after the stop", pid)
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
}
