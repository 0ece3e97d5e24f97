package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// passage is a way to have a manager pass a failpoint.
type passage struct {
	// provoke has it pass there. The answer of a call to a manager that dies
	// meanwhile counts for nothing.
	provoke func(w *ward)
	// times are the passes at which it dies, each in a try of its own.
	times []int
}

// passages says for each failpoint of the program how it is reached.
var passages = map[string]passage{
	"spawn-ordered":     {provoke: starting, times: []int{1, 3}},
	"spawn-log-begun":   {provoke: starting, times: []int{1, 4}},
	"spawn-cgroup-made": {provoke: starting, times: []int{2}},
	"spawn-forked":      {provoke: starting, times: []int{1, 2, 4}},
	"spawn-watched":     {provoke: starting, times: []int{1, 3}},
	"spawn-taken":       {provoke: starting, times: []int{1, 4}},
	"record-written":    {provoke: starting, times: []int{1, 2, 3}},
	"record-renamed":    {provoke: starting, times: []int{1, 2}},
	"publish-begun":     {provoke: starting, times: []int{1, 6}},
	"publish-noted":     {provoke: starting, times: []int{2, 7}},
	"publish-told":      {provoke: starting, times: []int{1, 8}},
	"exit-noticed":      {provoke: crashing, times: []int{1}},
	"stop-ordered":      {provoke: stopping, times: []int{1}},
	"stop-signalled":    {provoke: stopping, times: []int{1}},
	"stop-killing":      {provoke: killing, times: []int{1}},
	"stop-gone":         {provoke: stopping, times: []int{1}},
	"adopt-locked":      {provoke: adopting, times: []int{1}},
	"adopt-found":       {provoke: adopting, times: []int{1}},
	"adopt-taken":       {provoke: adopting, times: []int{1, 3}},
	"adopt-done":        {provoke: adopting, times: []int{1}},
	"reload-planned":    {provoke: reloading, times: []int{1}},
	"reload-begun":      {provoke: reloading, times: []int{1}},
	"reload-left":       {provoke: reloading, times: []int{1}},
	"reload-taken":      {provoke: reloading, times: []int{1}},
	"reload-started":    {provoke: reloading, times: []int{1}},
	"reload-restarted":  {provoke: reloading, times: []int{1}},
	"end-begun":         {provoke: ending, times: []int{1}},
	"end-stopped":       {provoke: ending, times: []int{1}},
	"end-noted":         {provoke: ending, times: []int{1}},
	"end-flushed":       {provoke: ending, times: []int{1}},
	"upgrade-tried":     {provoke: upgrading, times: []int{1}},
	"upgrade-left":      {provoke: upgrading, times: []int{1}},
}

// starting opens a manager over servers that are all to be started.
func starting(*ward) {}

// adopting opens a manager over servers that run; faulty sees to that.
func adopting(*ward) {}

// crashing ends a server from outside.
func crashing(w *ward) {
	w.killed["s01"] = true
	syscall.Kill(int(w.status("s01").PID), syscall.SIGKILL)
}

// stopping stops one server and restarts another.
func stopping(w *ward) {
	w.order(services.Stop, "s01")
	w.order(services.Restart, "s02")
}

// killing ends a server at once.
func killing(w *ward) {
	w.killed["s01"] = true
	w.order(services.Kill, "s01")
}

// reloading reads a configuration with one server less, one more, and one that
// runs otherwise.
func reloading(w *ward) {
	path := filepath.Join(w.dir, "tend.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return line == "  s01:\n" })
	more := slices.Clone(lines[at : at+2])
	more[0], more[1] = "  s09:\n", strings.Replace(more[1], " s01]", " s09]", 1)
	lines = slices.Concat(lines[:at], lines[at+2:], more)
	changed := strings.Replace(strings.Join(lines, ""), " s02]\n", " s02]\n    env: {CHANGED: really}\n", 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		w.t.Fatal(err)
	}
	w.names = append(slices.DeleteFunc(w.names, func(name string) bool { return name == "s01" }), "s09")
	w.gone = append(w.gone, "s01")
	delete(w.wanted, "s01")
	delete(w.wanted, "s02")
	w.client.Reload(w.t.Context(), false, "") //nolint:errcheck // it dies meanwhile
}

// ending shuts the manager down. What is up then comes back with the next one.
func ending(w *ward) {
	for _, name := range w.names {
		w.killed[name] = true // the servers end, too
	}
	w.client.Shutdown(w.t.Context(), false) //nolint:errcheck // it dies meanwhile
}

func upgrading(w *ward) {
	w.client.Upgrade(w.t.Context()) //nolint:errcheck // it dies meanwhile
}

// order gives an order of which nobody knows whether it was heard.
func (w *ward) order(action services.Action, name string) {
	delete(w.wanted, name)
	order := services.Order{Action: action, Servers: []string{name}}
	if _, err := w.client.Do(w.t.Context(), order); err == nil {
		w.wanted[name] = services.Up
		if action != services.Restart {
			w.wanted[name] = services.Down
		}
	}
}

// died waits for a manager that has met its failpoint.
func (w *ward) died() {
	w.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- w.manager.Wait() }()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		w.manager.Process.Kill()
		<-ended
		w.t.Errorf("the manager has not come to the point at which it was to die")
	}
	if status := w.manager.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		w.t.Errorf("the manager ended by itself: %v\n%s", w.manager.ProcessState, w.output)
	}
	w.manager = nil
}

func TestNothingIsLostWhereverTheManagerDies(t *testing.T) {
	fragile := buildFragile(t)
	for _, name := range slices.Sorted(maps.Keys(passages)) {
		for _, n := range passages[name].times {
			point := fmt.Sprintf("%s@%d", name, n)
			t.Run(point, func(t *testing.T) {
				t.Parallel()
				w := newWard(t, 4, nil)
				w.program = fragile
				w.faulty(name, point)
			})
		}
	}
}

// faulty has one manager die at a point, and checks what the next one makes of
// what it has left.
func (w *ward) faulty(name, point string) {
	w.t.Helper()
	begins := strings.HasPrefix(name, "spawn-") || strings.HasPrefix(name, "record-") || strings.HasPrefix(name, "publish-")
	if strings.HasPrefix(name, "adopt-") {
		w.open()
		w.settled()
		w.kill()
	}
	if strings.HasPrefix(name, "exit-") || strings.HasPrefix(name, "stop-") { // the manager is to die of the end that is provoked
		if err := os.WriteFile(filepath.Join(w.dir, steadyFile), nil, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	before := w.pids()
	w.env = []string{"TEND_FAILPOINT=" + point}
	if begins || strings.HasPrefix(name, "adopt-") {
		w.launch()
	} else {
		w.open()
		w.settled()
		before = w.pids()
		passages[name].provoke(w)
	}
	w.died()
	for name := range before {
		if _, sure := w.wanted[name]; !sure || w.killed[name] {
			delete(before, name)
		}
	}
	w.env = nil
	w.open()
	w.settled()
	w.untouched(before)
	w.departed()
	w.honest()
	w.resolve()
	w.complete()
	w.tidy()
}

// departed checks that a server that left the configuration has ended, or is
// shown as one that has not.
func (w *ward) departed() {
	w.t.Helper()
	for _, name := range w.gone {
		w.until(name+" is gone or known to be left over", 10*time.Second, func() string {
			s, err := w.client.Get(w.t.Context(), name)
			pid := w.alive(name)
			switch {
			case services.KindOf(err) == services.NotFound && pid == 0:
				return ""
			case err == nil && s.Orphaned && int(s.OrphanedPID) == pid:
				w.client.Do(w.t.Context(), services.Order{Action: services.Stop, Servers: []string{name}}) //nolint:errcheck // it is asked again
				return "it is an orphan, and being stopped"
			}
			return fmt.Sprintf("%v, pid %d lives", err, pid)
		})
	}
}

// tidy checks that the manager has left nothing lying about: no zombie, no
// control group of a run that is over, no descriptor and no goroutine more than
// a manager needs that has taken over the same servers.
func (w *ward) tidy() {
	w.t.Helper()
	if left := zombiesOf(w.t, w.manager.Process.Pid); left != "" {
		w.t.Errorf("zombies: %s", left)
	}
	files, routines := openFiles(w.t, w.manager.Process.Pid), w.goroutines()
	w.kill()
	w.open()
	w.settled()
	if fresh := openFiles(w.t, w.manager.Process.Pid); files > fresh+4 {
		w.t.Errorf("%d descriptors were open after the fault, a manager after it needs %d", files, fresh)
	}
	if fresh := w.goroutines(); routines > fresh+8 {
		w.t.Errorf("%d goroutines lived after the fault, a manager after it needs %d", routines, fresh)
	}
	w.until("no control group is left of a run that is over", 5*time.Second, func() string {
		var left []string
		live := map[string]bool{}
		for _, name := range w.names {
			live[w.status(name).Run] = true
		}
		for _, dir := range w.cgroups() {
			if _, run, _ := strings.Cut(filepath.Base(dir), "."); !live[run] {
				left = append(left, dir)
			}
		}
		return strings.Join(left, " ")
	})
}

// goroutines returns how many the manager has.
func (w *ward) goroutines() (n int) {
	w.t.Helper()
	info, err := w.client.Info(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.Get(info.URL + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if count, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			n, _ = strconv.Atoi(count)
		}
	}
	if n == 0 {
		w.t.Error("the metrics do not tell how many goroutines there are")
	}
	return n
}

// cgroups lists the control groups of the ward's runs.
func (w *ward) cgroups() (dirs []string) {
	instance, err := os.ReadFile(filepath.Join(w.dir, ".tend", "instance"))
	if err != nil {
		w.t.Fatal(err)
	}
	id := string(bytes.Fields(instance)[0])
	filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // what cannot be read is not ours
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // gone meanwhile
			}
			return fs.SkipDir
		}
		if d.IsDir() && strings.Contains(filepath.Dir(path), id) {
			dirs = append(dirs, path)
		}
		return nil
	})
	return dirs
}

func TestEveryFailpointOfTheProgramIsTried(t *testing.T) {
	var found []string
	for _, root := range []string{".", "../../services", "../../handlers"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 1 {
					return true
				}
				if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "At" && fmt.Sprint(f.X) == "failpoint" {
					name, err := strconv.Unquote(call.Args[0].(*ast.BasicLit).Value)
					if err != nil {
						t.Error(err)
					}
					found = append(found, name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(found)
	if tried := slices.Sorted(maps.Keys(passages)); !slices.Equal(found, tried) {
		t.Errorf("the program has the failpoints %q, tried are %q", found, tried)
	}
}
