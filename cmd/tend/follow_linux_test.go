package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// follow runs a command that has no end of its own, until the test ends.
func (w *ward) follow(args ...string) (stdout, stderr *said) {
	w.t.Helper()
	stdout, stderr = &said{}, &said{}
	cmd := exec.Command(buildTend(w.t), append(args, "--config", filepath.Join(w.dir, "tend.yaml"))...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			w.t.Errorf("tend %v ended with %v: %s", args, err, stderr)
		}
	})
	return stdout, stderr
}

func (w *ward) says(what *said, text string) {
	w.t.Helper()
	w.until(fmt.Sprintf("it says %q", text), 20*time.Second, func() string {
		if got := what.String(); !strings.Contains(got, text) {
			return fmt.Sprintf("so far %q", got[max(0, len(got)-500):])
		}
		return ""
	})
}

func TestALogIsFollowedAcrossManagersWithoutAGapOrADuplicate(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  counter: {command: 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done'}\n")
	w.open()
	w.waitFor("counter", services.Running)
	out, errs := w.follow("logs", "-f", "-n", "all", "counter")
	w.says(out, "\n20\n")
	w.kill()
	w.says(errs, "waiting for the next one")
	w.open()
	w.says(errs, "going on with the next manager")
	seen := strings.Count(out.String(), "\n")
	w.says(out, fmt.Sprintf("\n%d\n", seen+20))
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if line != fmt.Sprint(i+1) {
			t.Fatalf("line %d is %q", i+1, line)
		}
	}
}

func TestEventsGoOnWithTheNextManager(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	w.open()
	w.waitFor("a", services.Running)
	out, errs := w.follow("events", "--all")
	w.says(out, "a: running")
	if strings.Contains(out.String(), "reset") || strings.Contains(out.String(), "missing") {
		t.Errorf("it begins with %s", out)
	}
	w.kill()
	w.says(errs, "waiting for the next one")
	w.open()
	w.says(out, "a: running, taken over from an earlier manager")
	w.says(out, "`tend history` has them")
}
