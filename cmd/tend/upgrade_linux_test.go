package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// install puts a program where the ward's manager is started from, as an
// installation does: under another name first.
func (w *ward) install(text []byte) {
	w.t.Helper()
	w.program = filepath.Join(w.dir, "tend")
	if err := os.WriteFile(w.program+".new", text, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(w.program+".new", w.program); err != nil {
		w.t.Fatal(err)
	}
}

// installed is a ward whose manager has a program of its own.
func installed(t *testing.T, servers int) (w *ward, program []byte) {
	t.Helper()
	program, err := os.ReadFile(buildTend(t))
	if err != nil {
		t.Fatal(err)
	}
	w = newWard(t, servers, nil)
	w.install(program)
	return w, program
}

func TestAnUpgradeInPlaceTouchesNoServer(t *testing.T) {
	w, program := installed(t, 5)
	w.open()
	w.settled()
	pids := w.pids()
	for round := range 3 {
		files := openFiles(t, w.manager.Process.Pid)
		w.install(program)
		code, out, errs := w.tend("upgrade")
		if code != 0 || !strings.Contains(out, fmt.Sprintf("(pid %d)", w.manager.Process.Pid)) {
			t.Fatalf("upgrade: %d, %q, %q\n%s", code, out, errs, w.output)
		}
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", w.manager.Process.Pid)); exe != w.program {
			t.Errorf("the manager runs %s, not the new program", exe)
		}
		w.settled()
		w.untouched(pids)
		if now := openFiles(t, w.manager.Process.Pid); now > files+3 {
			t.Errorf("upgrade %d: %d descriptors were open before, %d are now", round, files, now)
		}
	}
	// They are still children, and their ends are seen as before.
	s := w.status("s03")
	syscall.Kill(int(s.PID), syscall.SIGHUP)
	w.until("the end of s03 is noticed", 10*time.Second, func() string {
		now := w.status("s03")
		if now.Exit == nil || now.PID == s.PID {
			return now.Why
		}
		return ""
	})
	if exit := w.status("s03").Exit; !exit.Seen || exit.Signal != syscall.SIGHUP {
		t.Errorf("s03 ended by %s", exit.Reason())
	}
	w.settled()
	w.complete()
	if left := zombiesOf(t, w.manager.Process.Pid); left != "" {
		t.Errorf("zombies: %s", left)
	}
}

func TestAnUpgradeRefusesNobodyWhoConnects(t *testing.T) {
	w, _ := installed(t, 2)
	w.open()
	w.settled()
	info, err := w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(info.URL, "http://")
	ctx, stop := context.WithCancel(t.Context())
	var calls, refused atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				refused.Add(1)
				continue
			}
			calls.Add(1)
			conn.Close()
		}
	}()
	if code, out, errs := w.tend("upgrade"); code != 0 {
		t.Errorf("upgrade: %d, %q, %q", code, out, errs)
	}
	res, err := http.Get(info.URL + "/healthz")
	if err != nil {
		t.Fatalf("the address does not answer any more: %v", err)
	}
	res.Body.Close()
	stop()
	<-done
	if refused.Load() != 0 || calls.Load() == 0 {
		t.Errorf("%d connections, %d refused", calls.Load(), refused.Load())
	}
}

func TestASignalUpgradesTwiceInARow(t *testing.T) {
	w, _ := installed(t, 2)
	w.open()
	w.settled()
	pids := w.pids()
	before, err := w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.manager.Process.Signal(syscall.SIGUSR2)
	w.manager.Process.Signal(syscall.SIGUSR2)
	w.until("another manager answers", 20*time.Second, func() string {
		now, err := w.client.Info(t.Context())
		if err != nil {
			return err.Error()
		}
		if now.StartedAt.Equal(before.StartedAt) {
			return "it is the same"
		}
		return ""
	})
	w.settled()
	w.untouched(pids)
}

func TestAProgramThatCannotTakeOverChangesNothing(t *testing.T) {
	w, program := installed(t, 2)
	w.open()
	w.settled()
	pids := w.pids()
	before, err := w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(w.dir, "tend.yaml")
	good, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what, says string) {
		t.Helper()
		code, _, errs := w.tend("upgrade")
		if code != 1 || !strings.Contains(errs, "everything stays as it is") || !strings.Contains(errs, says) {
			t.Errorf("%s: %d, %q", what, code, errs)
		}
		now, err := w.client.Info(t.Context())
		if err != nil || !now.StartedAt.Equal(before.StartedAt) {
			t.Fatalf("%s: another manager answers, or none: %v", what, err)
		}
	}
	w.install([]byte("#!/bin/sh\necho I am something else >&2\nexit 3\n"))
	refused("another program", "I am something else")
	w.install([]byte("neither program nor script"))
	refused("rubbish", "exec format error")
	w.install(program)
	if err := os.WriteFile(config, []byte("servers: {a: {comand: x}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a wrong configuration", `did you mean "command"`)
	if err := os.WriteFile(config, append([]byte("data: elsewhere\n"), good...), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := w.tend("upgrade", "--data", filepath.Join(w.dir, ".tend")); code != 1 || !strings.Contains(errs, "data: the configuration names") {
		t.Errorf("another data directory: %d, %q", code, errs)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	other := strings.Replace(string(good), "listen: 127.0.0.1:0", "listen: "+busy.Addr().String(), 1)
	if err := os.WriteFile(config, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("an address in use", "address already in use")
	if err := os.WriteFile(config, good, 0o600); err != nil {
		t.Fatal(err)
	}
	w.untouched(pids)
	w.settled()
}

// openFiles counts the descriptors of a process.
func openFiles(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// zombiesOf lists the children of a process that it has not reaped. It looks
// for a while: a child that has just ended is one for a moment.
func zombiesOf(t *testing.T, parent int) (found string) {
	t.Helper()
	patience := time.After(2 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		stats, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			t.Fatal(err)
		}
		found = ""
		for _, path := range stats {
			text, _ := os.ReadFile(path)
			if i := strings.LastIndex(string(text), ") "); i >= 0 && strings.HasPrefix(string(text[i:]), fmt.Sprintf(") Z %d ", parent)) {
				found += string(text[:i+1]) + " "
			}
		}
		if found == "" {
			return ""
		}
		select {
		case <-patience:
			return found
		case <-tick.C:
		}
	}
}
