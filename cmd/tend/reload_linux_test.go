package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestAReloadIsShownAndCarriedOutAndTouchesNothingElse(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  same: {command: [sleep, '1000']}\n  old: {command: [sleep, '1000']}\n  a: {command: [sleep, '1000']}\n")
	w.open()
	same, a := w.waitFor("same", services.Running), w.waitFor("a", services.Running)
	w.waitFor("old", services.Running)
	w.configure("servers:\n  same: {command: [sleep, '1000']}\n  a: {command: [sleep, '1001']}\n  new: {command: [sleep, '1000'], group: g}\n")
	code, plan, errs := w.tend("reload", "--dry-run")
	for _, part := range []string{"add      new\n", "remove   old\n", "restart  a\n         command: [\"sleep\" \"1000\"] → [\"sleep\" \"1001\"]\n", "1 unchanged\n"} {
		if code != 0 || !strings.Contains(plan, part) {
			t.Errorf("%d %s\nshows\n%s\nwithout %q", code, errs, plan, part)
		}
	}
	if s := w.status("a"); s.PID != a.PID {
		t.Error("a dry run restarted a server")
	}
	if code, out, errs := w.tend("reload"); code != 0 || !strings.HasSuffix(out, "done\n") {
		t.Fatalf("%d %s %s", code, out, errs)
	}
	w.waitFor("new", services.Running)
	w.until("a is restarted and old is gone", 5*time.Second, func() string {
		list, _ := w.client.List(t.Context())
		if s := w.status("a"); s.PID == a.PID || s.Phase != services.Running || len(list) != 3 {
			return string(s.Phase)
		}
		return ""
	})
	if s := w.status("same"); s.PID != same.PID || s.Rev != same.Rev {
		t.Errorf("what did not change was touched: %+v", s)
	}

	w.configure("servers:\n  same: {comand: x}\n")
	if code, _, errs := w.tend("reload"); code != 1 || !strings.Contains(errs, "tend.yaml:3:10: same: comand is not a key") {
		t.Errorf("a wrong file: %d %s", code, errs)
	}
	w.manager.Process.Signal(syscall.SIGHUP)
	w.until("the wrong file is refused", 5*time.Second, func() string {
		if text := w.output.String(); !strings.Contains(text, "SIGHUP: the configuration is not used") {
			return text
		}
		return ""
	})
	w.configure("servers:\n  same: {command: [sleep, '1000'], group: other}\n")
	w.manager.Process.Signal(syscall.SIGHUP)
	w.until("SIGHUP is obeyed", 5*time.Second, func() string {
		if list, _ := w.client.List(t.Context()); len(list) != 1 || list[0].Group != "other" || list[0].PID != same.PID {
			return "not yet"
		}
		return ""
	})
	// The next manager finds what this one has made of it.
	w.kill()
	w.open()
	if s := w.waitFor("same", services.Running); s.PID != same.PID {
		t.Errorf("pid %d, was %d", s.PID, same.PID)
	}
}

func TestATaskRunsByItsScheduleAndItsDependentWaitsForIt(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("servers:\n  job: {command: [echo, tick], type: task, schedule: '* * * * * *'}\n  once: {command: [sleep, '0.3'], type: task}\n  api: {command: [sleep, '1000'], depends_on: {once: {until: completed}}}\n")
	w.open()
	once, api := w.waitFor("once", services.Exited), w.waitFor("api", services.Running)
	if api.StartedAt.Before(once.Exit.At.Truncate(time.Millisecond)) {
		t.Errorf("api started at %v, before %v", api.StartedAt, once.Exit.At)
	}
	w.until("the task has run twice", 10*time.Second, func() string {
		if _, out, _ := w.tend("logs", "job"); strings.Count(out, "tick\n") < 2 {
			return out
		}
		return ""
	})
	if s := w.status("job"); s.NextRun.IsZero() {
		t.Errorf("next run %v", s.NextRun)
	}
}
