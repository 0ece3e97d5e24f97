package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheManagerEndsWithItsEssentialServerAndItsCode(t *testing.T) {
	for name, c := range map[string]struct {
		server string
		code   int
		says   string
	}{
		"a code":       {"{command: 'sleep 0.5; exit 7', restart: never}", 7, "exited with code 7"},
		"a success":    {"{command: 'sleep 0.5', restart: on-failure}", 0, "exited with code 0"},
		"a signal":     {"{command: 'sleep 0.5; kill -TERM $$$$', restart: never}", 143, "killed by SIGTERM"},
		"given up":     {"{command: 'exit 3', backoff: {min: 10ms, give_up: 2}}", 3, "exited with code 3"},
		"cannot start": {"{command: [./missing]}", 1, "cannot start: "},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tend.yaml")
			text := "listen: 127.0.0.1:0\nexit_on: main\nservers:\n  main: " + c.server + "\n  other: {command: [sleep, '1000']}\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var output strings.Builder
			cmd := exec.Command(buildTend(t), "serve", "--config", path)
			cmd.Stderr = &output
			cmd.Run()
			code, said := cmd.ProcessState.ExitCode(), output.String()
			if code != c.code || !strings.Contains(said, "msg=stopping server=other") || !strings.Contains(said, "tend: exit_on main: "+c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, c.code, c.says, said)
			}
		})
	}
}

func TestAStopByAPersonIsNoEndOfTheEssentialServer(t *testing.T) {
	w := newWard(t, 0, nil)
	w.configure("exit_on: main\nservers:\n  main: {command: [sleep, '1000']}\n")
	w.open()
	if code, _, errs := w.tend("stop", "main"); code != 0 {
		t.Fatal(errs)
	}
	if code, _, errs := w.tend("start", "main"); code != 0 {
		t.Fatal(errs)
	}
	w.until("it is still there", time.Second, func() string { return w.status("main").Why[:0] })
}
