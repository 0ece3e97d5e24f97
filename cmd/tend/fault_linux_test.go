package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
	"tend/services/remote"
)

// What is in the files fault_*_test.go breaks the world around a real manager
// and its servers: the disk, the descriptors, the processes, the time, the
// ends. Each test says what must go on meanwhile, and what must be right again
// when the trouble is over.

// atOnce lets a test run beside others of its kind: mostly they wait. The
// program is built before, by whoever comes first.
func atOnce(t *testing.T) {
	t.Helper()
	buildTend(t)
	t.Parallel()
}

// moveData has the ward keep its data elsewhere, such as on a disk that the
// test breaks.
func (w *ward) moveData(dir string) {
	w.t.Helper()
	w.args = append(w.args, "--data", dir)
	socket, err := remote.SocketPath(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	w.client = remote.New(socket)
}

// start starts a manager as open does, and does not wait for its answer.
func (w *ward) start() {
	w.t.Helper()
	argv := append(slices.Clone(w.wrap), buildTend(w.t), "serve", "--config", filepath.Join(w.dir, "tend.yaml"))
	w.manager = exec.Command(argv[0], append(argv[1:], w.args...)...)
	w.manager.Dir, w.output = w.dir, &said{}
	w.manager.Stdout, w.manager.Stderr = w.output, w.output
	w.manager.SysProcAttr = &syscall.SysProcAttr{Credential: w.as, Setpgid: true}
	if err := w.manager.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// tickers configures servers that write a numbered line every few
// milliseconds and never end by themselves; more is further YAML of each.
func (w *ward) tickers(more string, names ...string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	text := "defaults: {backoff: {min: 10ms, max: 200ms}, stop: {timeout: 5s}}\nservers:\n"
	for _, name := range names {
		text += fmt.Sprintf("  %s: {command: [%q, be, ticker]%s}\n", name, self, more)
	}
	w.configure(text)
}

// allRun waits until the named servers run.
func (w *ward) allRun(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.waitFor(name, services.Running)
	}
}

// told is what a manager has said by its events since a test began to listen.
type told struct {
	mu   sync.Mutex // guards what follows
	list []services.Event
}

// listen collects events until the test ends, whether or not they can be
// written down. It returns once the manager knows of it.
func (w *ward) listen() *told {
	w.t.Helper()
	heard := &told{}
	go func() {
		for e, err := range w.client.Watch(w.t.Context(), 0) {
			if err != nil {
				return
			}
			heard.mu.Lock()
			heard.list = append(heard.list, e)
			heard.mu.Unlock()
		}
	}()
	w.until("the events come", 10*time.Second, func() string {
		if len(heard.all()) == 0 {
			return "none yet"
		}
		return ""
	})
	return heard
}

func (h *told) all() []services.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

// count says how many events there were with a text in their message.
func (h *told) count(kind services.EventKind, text string) (n int) {
	for _, e := range h.all() {
		if e.Kind == kind && strings.Contains(e.Message, text) {
			n++
		}
	}
	return n
}

// hears waits for an event.
func (w *ward) hears(h *told, kind services.EventKind, text string) {
	w.t.Helper()
	w.until(fmt.Sprintf("an event of kind %s says %q", kind, text), 15*time.Second, func() string {
		if h.count(kind, text) == 0 {
			var said []string
			for _, e := range h.all() {
				said = append(said, string(e.Kind)+": "+e.Message)
			}
			return "heard only:\n" + strings.Join(said, "\n")
		}
		return ""
	})
}

// do gives an order, which has to be taken.
func (w *ward) do(action services.Action, names ...string) {
	w.t.Helper()
	if _, err := w.client.Do(w.t.Context(), services.Order{Action: action, Servers: names}); err != nil {
		w.t.Fatalf("%s %v: %v", action, names, err)
	}
}

// replaced waits until a server runs with another pid than before.
func (w *ward) replaced(name string, before int) services.Status {
	w.t.Helper()
	w.until(name+" is up again", 15*time.Second, func() string {
		if s := w.status(name); s.Phase != services.Running || int(s.PID) == before || s.PID == 0 {
			return fmt.Sprintf("%s with pid %d: %s", s.Phase, s.PID, s.Why)
		}
		return ""
	})
	return w.status(name)
}

// samePIDs checks that nobody was touched.
func (w *ward) samePIDs(before map[string]int) {
	w.t.Helper()
	for name, pid := range before {
		if now := int(w.status(name).PID); now != pid || !runs(pid) {
			w.t.Errorf("%s had pid %d, now it is %d: %s", name, pid, now, w.status(name).Why)
		}
	}
}

// pidsNow returns the pid that the manager knows of each server that runs.
func (w *ward) pidsNow() map[string]int {
	w.t.Helper()
	list, err := w.client.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]int{}
	for _, s := range list {
		if s.PID != 0 {
			out[s.Name] = int(s.PID)
		}
	}
	return out
}

// grows waits until a file has more than it has now.
func (w *ward) grows(path string) {
	w.t.Helper()
	before := sizeOf(path)
	w.until(filepath.Base(path)+" grows", 15*time.Second, func() string {
		if now := sizeOf(path); now <= before {
			return fmt.Sprintf("it has %d bytes as before", now)
		}
		return ""
	})
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// smallDisk mounts a file system of the given size in memory, which is gone
// after the test. Make it before the ward whose data it is to hold.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	needMount(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", megabytes)))
	t.Cleanup(func() {
		for unmount(t, dir); t.Failed() && syscall.Unmount(dir, syscall.MNT_DETACH) == nil; {
			// What a test has mounted above, and not come to unmount.
		}
	})
	return dir
}

func needMount(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Skipf("a file system of the test's own cannot be mounted here: %v", err)
	}
}

func unmount(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Errorf("unmount %s: %v", dir, err)
	}
}

// breakableDisk mounts a real file system on a file, and returns what breaks it:
// from then on nothing can be written to it any more, also by those who have a
// file open, as the kernel does it after an error of the disk.
func breakableDisk(t *testing.T) (dir string, breakIt func()) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	dir = t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 32<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("no ext4 can be made here: %v %s", err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Skipf("no ext4 can be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() { unmount(t, dir) })
	return dir, func() {
		t.Helper()
		if out, err := exec.Command("mount", "-o", "remount,abort", dir).CombinedOutput(); err != nil {
			t.Fatalf("break the disk: %v %s", err, out)
		}
	}
}
