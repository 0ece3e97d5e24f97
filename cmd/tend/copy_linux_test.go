package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/services/remote"
)

func TestACopyOfADataDirectoryClaimsNothingOfTheOriginal(t *testing.T) {
	const servers = "servers:\n  a: {command: [sleep, '1000']}\n"
	w, dup := newWard(t, 0, nil), newWard(t, 0, nil)
	w.configure(servers)
	dup.configure(servers)
	w.open()
	before := w.waitFor("a", services.Running)
	if out, err := exec.Command("cp", "-r", filepath.Join(w.dir, ".tend"), dup.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dup.open()
	if s := dup.waitFor("a", services.Running); s.PID == before.PID || s.Adopted {
		t.Errorf("the copy took over pid %d of the original", s.PID)
	}
	dup.until("the history of the copy says that it is one", 10*time.Second, func() string {
		if _, out, errs := dup.tend("history"); !strings.Contains(out, "is a copy of") {
			return "so far " + out + errs
		}
		return ""
	})
	if code, _, errs := dup.tend("shutdown"); code != 0 {
		t.Fatalf("shutdown of the copy: %s", errs)
	}
	dup.ended()
	if s := w.status("a"); s.PID != before.PID || s.Phase != services.Running {
		t.Errorf("the original's server: pid %d was %d, %s", s.PID, before.PID, s.Why)
	}
}

func TestADataDirectoryThatIsMovedKeepsItsServers(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	w.open()
	before := w.waitFor("a", services.Running)
	w.kill()
	moved := w.dir + "-moved"
	if err := os.Rename(w.dir, moved); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(moved) })
	socket, err := remote.SocketPath(filepath.Join(moved, ".tend"))
	if err != nil {
		t.Fatal(err)
	}
	w.dir, w.client = moved, remote.New(socket)
	w.open()
	if s := w.waitFor("a", services.Running); s.PID != before.PID || !s.Adopted {
		t.Errorf("pid %d after the move, %d before; adopted %t", s.PID, before.PID, s.Adopted)
	}
	w.end() // while its directory is there
	w.over = true
}
