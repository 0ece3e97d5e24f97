package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// TestADaemonWhoseFirstProcessEndedUnseenIsTakenOver is the end of a manager in
// the moment in which the first process of a daemon has ended and nobody has
// written down who goes on for it.
func TestADaemonWhoseFirstProcessEndedUnseenIsTakenOver(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  d: {command: 'setsid sleep 1000 & exit 0'}\n")
	w.open()
	state := filepath.Join(w.dir, ".tend", "state.json")
	followed := func() (pid services.Int, text string) {
		w.until("the daemon is followed, and that is written down", 10*time.Second, func() string {
			pid = w.status("d").PID
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			got, err := os.ReadFile(state)
			text = string(got)
			if err != nil || string(command) != "sleep\n" || !strings.Contains(text, fmt.Sprintf(`"leader":{"pid":%d,`, pid)) || !strings.Contains(text, `"daemon":"`) {
				return fmt.Sprintf("pid %d is %q; %s", pid, command, text)
			}
			return ""
		})
		return pid, text
	}
	pid, text := followed()
	w.kill()
	leader := regexp.MustCompile(`"leader":\{[^}]*\}`)
	text = leader.ReplaceAllString(text, `"leader":{"pid":4194303,"start":1},"forks":true`)
	if err := os.WriteFile(state, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.open()
	if s := w.waitFor("d", services.Running); s.PID != pid || !s.Adopted || s.Restarts != 0 {
		t.Errorf("pid %d, was %d; adopted %t, %d restarts: %s", s.PID, pid, s.Adopted, s.Restarts, s.Why)
	}
	// A run that is not known to fork has ended with its main process.
	w.kill()
	text = strings.Replace(text, `,"forks":true`, "", 1)
	if err := os.WriteFile(state, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.open()
	if next, _ := followed(); next == pid {
		t.Errorf("pid %d goes on for a main process that had no daemon", pid)
	}
}
