package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// TestAServerThatHarmsItsOwnLogRunsOnAndHasALogAfterItsRestart: each server says
// before, does harm, and would say after.
func TestAServerThatHarmsItsOwnLogRunsOnAndHasALogAfterItsRestart(t *testing.T) {
	atOnce(t)
	w := newWard(t, 0, nil)
	logs := filepath.Join(w.dir, ".tend", "logs")
	harm := []struct {
		name, script string
		event        string // what is said of it, empty where nothing is to be said
	}{
		{"closes", "exec >&- 2>&-", ""},
		{"deletes", "rm %s", "deleted"},
		{"replaces", "rm %[1]s; echo mine > %[1]s; chmod 600 %[1]s", "replaced"},
		{"truncates", ": > %s", "truncated"},
		{"directory", "rm %[1]s; mkdir %[1]s; sleep 0.1; rmdir %[1]s", "deleted"},
	}
	var text strings.Builder
	text.WriteString("servers:\n")
	for _, h := range harm {
		script := h.script
		if strings.Contains(script, "%") {
			script = fmt.Sprintf(script, filepath.Join(logs, h.name+".log"))
		}
		fmt.Fprintf(&text, "  %s: {command: 'echo before; if test ! -e %s/%[1]s.done; then touch %[2]s/%[1]s.done; sleep 1; %[3]s; fi; echo after; exec sleep 1000', stop: {timeout: 1s}}\n",
			h.name, w.dir, script)
	}
	w.configure(text.String())
	w.open()
	heard := w.listen()
	before := map[string]int{}
	for _, h := range harm {
		before[h.name] = int(w.waitFor(h.name, services.Running).PID)
	}
	for _, h := range harm {
		if h.event != "" {
			w.until("it is said that "+h.name+" "+h.event, 10*time.Second, func() string {
				for _, e := range heard.all() {
					if e.Kind == services.EventLog && e.Server == h.name {
						return ""
					}
				}
				return "not yet"
			})
		}
	}
	w.samePIDs(before)
	for _, h := range harm {
		w.do(services.Restart, h.name)
		w.replaced(h.name, before[h.name])
		w.until("the next run of "+h.name+" is logged", 5*time.Second, func() string {
			_, out, errs := w.tend("logs", h.name)
			if !strings.HasSuffix(out, "before\nafter\n") {
				return out + errs
			}
			return ""
		})
	}
	for _, e := range heard.all() {
		if e.Kind == services.EventLog {
			t.Logf("%s: %s", e.Server, e.Message)
		}
	}
}
