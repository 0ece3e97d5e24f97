package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestASecondSignalKillsWhatIsLeft(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  stubborn: {command: 'trap \"\" TERM; echo deaf; while :; do sleep 1000 & wait; done', stop: {timeout: 10m}}\n")
	w.open()
	pid := int(w.waitFor("stubborn", services.Running).PID)
	log := filepath.Join(w.dir, ".tend", "logs", "stubborn.log")
	w.until("it ignores SIGTERM", 5*time.Second, func() string {
		text, _ := os.ReadFile(log)
		if !strings.Contains(string(text), "deaf") {
			return "not yet"
		}
		return ""
	})
	w.manager.Process.Signal(syscall.SIGTERM)
	w.waitFor("stubborn", services.Stopping)
	if !runs(pid) {
		t.Fatal("the first signal killed it")
	}
	w.manager.Process.Signal(syscall.SIGTERM)
	w.ended()
	if runs(pid) {
		t.Error("the second signal did not kill it")
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

func TestItTellsSystemdAndNobodyElse(t *testing.T) {
	w := newWard(t, 0, nil)
	socket := filepath.Join(w.dir, "notify")
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	for _, name := range []string{"NOTIFY_SOCKET", "LISTEN_FDS", "WATCHDOG_USEC", "INVOCATION_ID", "MAKEFLAGS", "TEND_TEST"} {
		t.Setenv(name, "1")
	}
	t.Setenv("NOTIFY_SOCKET", socket)
	w.configure("servers:\n  a: {command: 'env; exec sleep 1000'}\n")
	w.open()
	next := func() string {
		t.Helper()
		text := make([]byte, 1024)
		heard.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := heard.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(text[:n])
	}
	if text := next(); !strings.Contains(text, "READY=1\n") {
		t.Errorf("it says %q", text)
	}
	w.waitFor("a", services.Running)
	var env string
	w.until("the server shows its environment", 5*time.Second, func() string {
		text, _ := os.ReadFile(filepath.Join(w.dir, ".tend", "logs", "a.log"))
		env = "\n" + string(text)
		if !strings.Contains(env, "\nPATH=") {
			return env
		}
		return ""
	})
	for _, name := range []string{"NOTIFY_", "LISTEN_", "WATCHDOG_", "INVOCATION_", "MAKE", "TEND_TEST"} {
		if strings.Contains(env, "\n"+name) {
			t.Errorf("the server has %s: %s", name, env)
		}
	}
	w.manager.Process.Signal(syscall.SIGTERM)
	if text := next(); !strings.Contains(text, "STOPPING=1") {
		t.Errorf("at the end it says %q", text)
	}
	w.ended()
}

func TestTheDataDirectoryCanBeElsewhere(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	data := filepath.Join(t.TempDir(), "data")
	cmd := exec.Command(buildTend(t), "serve", "--config", filepath.Join(w.dir, "tend.yaml"), "--data", data)
	said := &said{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.until("the server runs", 10*time.Second, func() string {
		code, out, errs := w.tend("status", "a", "--data", data)
		if code != 0 || !strings.Contains(out, "running") {
			return out + errs
		}
		return ""
	})
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, ".tend")); !os.IsNotExist(err) {
		t.Errorf("there is a directory beside the configuration, too: %v", err)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the manager ended with %v:\n%s", err, said.String())
	}
	w.over = true
}

func TestADataDirectoryThatCannotBeMadeIsToldWithTheWayOut(t *testing.T) {
	w := newWard(t, 0, nil)
	w.over = true // it never begins
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	if code, _, errs := w.tend("serve", "--data", "/dev/null/data"); code != 1 || !strings.Contains(errs, "/dev/null/data") || !strings.Contains(errs, "--data") {
		t.Errorf("it ends with %d: %s", code, errs)
	}
}

func TestAsPidOneItReapsWhatItDidNotStart(t *testing.T) {
	w := newWard(t, 0, nil)
	if out, err := exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").CombinedOutput(); err != nil {
		t.Skipf("no pid namespace can be made here: %v %s", err, out)
	}
	w.wrap = []string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}
	w.configure("servers:\n  a: {command: '(sleep 0.05 &); (sleep 0.1 &); echo $$; exec sleep 1000'}\n")
	w.open()
	w.until("the orphans have ended and are gone", 10*time.Second, func() string {
		text, _ := os.ReadFile(filepath.Join(w.dir, ".tend", "logs", "a.log"))
		if len(text) == 0 {
			return "the server has not begun"
		}
		one := childrenOf(w.manager.Process.Pid)
		if len(one) != 1 {
			return fmt.Sprintf("unshare has the children %v", one)
		}
		if family := childrenOf(one[0]); len(family) != 1 {
			return fmt.Sprintf("pid 1 has the children %v", family)
		}
		return ""
	})
	if s := w.status("a"); s.Phase != services.Running {
		t.Errorf("%s: %s", s.Phase, s.Why)
	}
	one := childrenOf(w.manager.Process.Pid)[0] // unshare does not hand on signals
	syscall.Kill(one, syscall.SIGTERM)
	w.ended()
}

func TestAManagerWhoseLogNobodyReadsAnyMoreGoesOn(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.manager = exec.Command(buildTend(t), "serve", "--config", filepath.Join(w.dir, "tend.yaml"))
	w.manager.Stderr, w.output = write, &said{}
	if err := w.manager.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	read.Close()
	w.until("it answers", 10*time.Second, func() string {
		if _, err := w.client.List(t.Context()); err != nil {
			return err.Error()
		}
		return ""
	})
	if code, _, errs := w.tend("restart", "a"); code != 0 { // of which it logs
		t.Errorf("restart: %d %s", code, errs)
	}
	w.waitFor("a", services.Running)
}

// childrenOf lists the children of a process, zombies included.
func childrenOf(pid int) (out []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		for field := range strings.FieldsSeq(string(text)) {
			child, _ := strconv.Atoi(field)
			out = append(out, child)
		}
	}
	return out
}
