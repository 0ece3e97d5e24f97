package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
	"tend/services/remote"
)

// ward is a data directory with witnesses and the manager that looks after
// them, killed and started again as a test likes.
type ward struct {
	t       *testing.T
	dir     string
	names   []string
	args    []string // further arguments of serve
	wrap    []string // what runs the manager, such as setpriv
	program string   // the manager's, that which buildTend makes if empty
	env     []string // further environment of the manager
	as      *syscall.Credential
	manager *exec.Cmd
	over    bool  // it has ended with its servers
	output  *said // by the present manager
	client  *remote.Client
	wanted  map[string]services.Want // what was asked for and confirmed; absent where the answer was lost
	killed  map[string]bool          // those sent a SIGKILL in this round: they die without a note, and not at once
	gone    []string                 // that have left the configuration
}

// said is output that is read while it is being written.
type said struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func newWard(t *testing.T, servers int, as *syscall.Credential) *ward {
	t.Helper()
	dir, err := os.MkdirTemp("", "tend-ward-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if as != nil { // the test binary lies in a directory of root's
		copied := filepath.Join(dir, "witness")
		if out, err := exec.Command("cp", self, copied).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		self = copied
		for _, path := range []string{dir, copied} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := &ward{t: t, dir: dir, as: as, wanted: map[string]services.Want{}, killed: map[string]bool{}}
	var text strings.Builder
	text.WriteString("listen: 127.0.0.1:0\ndefaults: {backoff: {min: 10ms, max: 100ms}, stop: {timeout: 5s}}\nservers:\n")
	for i := range servers {
		name := fmt.Sprintf("s%02d", i)
		w.names = append(w.names, name)
		w.wanted[name] = services.Up
		fmt.Fprintf(&text, "  %s:\n    command: [%q, be, witness, %q, %s]\n", name, self, dir, name)
	}
	config := filepath.Join(dir, "tend.yaml")
	if err := os.WriteFile(config, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if as != nil {
		if err := os.Chown(config, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	socket, err := remote.SocketPath(filepath.Join(dir, ".tend"))
	if err != nil {
		t.Fatal(err)
	}
	w.client = remote.New(socket)
	t.Cleanup(w.end)
	return w
}

// open starts a manager and waits until it answers.
func (w *ward) open() {
	w.t.Helper()
	w.launch()
	w.until("the manager answers", 20*time.Second, func() string {
		if _, err := w.client.List(w.t.Context()); err != nil {
			return err.Error()
		}
		return ""
	})
}

// launch starts a manager.
func (w *ward) launch() {
	w.t.Helper()
	argv := append(append([]string{}, w.wrap...), cmp.Or(w.program, buildTend(w.t)), "serve", "--config", filepath.Join(w.dir, "tend.yaml"))
	argv = append(argv, w.args...)
	w.manager = exec.Command(argv[0], argv[1:]...)
	w.manager.Dir, w.manager.Env = w.dir, append(os.Environ(), w.env...)
	w.output = &said{}
	w.manager.Stdout, w.manager.Stderr = w.output, w.output
	w.manager.SysProcAttr = &syscall.SysProcAttr{Credential: w.as, Setpgid: true}
	if err := w.manager.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// kill ends the manager with SIGKILL, in the middle of whatever it does.
func (w *ward) kill() {
	w.manager.Process.Kill()
	w.manager.Wait()
	w.manager = nil
}

// ended waits for the end of a manager that was told to end.
func (w *ward) ended() {
	w.t.Helper()
	if err := w.manager.Wait(); err != nil {
		w.t.Errorf("the manager ended with %v:\n%s", err, w.output.String())
	}
	w.over = true
}

// end stops everything in order, whatever state the test is in.
func (w *ward) end() {
	if w.over {
		return
	}
	if w.manager == nil {
		w.open()
	}
	if w.t.Failed() {
		for e, err := range w.client.Events(context.Background(), url.Values{"since": {"1m"}}) {
			w.t.Logf("history: %s %s %s %v", e.At.Format(time.StampMilli), e.Kind, e.Message, err)
		}
	}
	w.manager.Process.Signal(syscall.SIGTERM)
	if err := w.manager.Wait(); err != nil && !w.t.Failed() {
		w.t.Errorf("the manager ended with %v:\n%s", err, w.output.String())
	}
	for _, name := range w.names {
		if pid := w.alive(name); pid != 0 {
			w.t.Errorf("%s (pid %d) is alive after the orderly end", name, pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if w.t.Failed() {
		w.t.Logf("the last manager said:\n%s", w.output.String())
	}
}

// until waits for a condition of the outside world, which sends no events;
// the condition returns what is missing.
func (w *ward) until(what string, limit time.Duration, missing func() string) {
	w.t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		why := missing()
		if why == "" {
			return
		}
		select {
		case <-deadline:
			w.t.Fatalf("%s: not within %v: %s\nthe manager said:\n%s", what, limit, why, w.output.String())
		case <-tick.C:
		}
	}
}

// alive returns the pid of the instance that holds the server's lock, 0 for
// none.
func (w *ward) alive(name string) int {
	lock, err := os.OpenFile(filepath.Join(w.dir, name+".lock"), os.O_RDWR, 0)
	if err != nil {
		return 0
	}
	defer lock.Close()
	holder := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(lock.Fd(), syscall.F_GETLK, &holder); err != nil {
		w.t.Fatal(err)
	}
	return int(holder.Pid)
}

func (w *ward) number(name, suffix string) int {
	text, _ := os.ReadFile(filepath.Join(w.dir, name+suffix))
	n, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return n
}

// disturb gives random orders until ctx ends, and notes which ones were
// confirmed.
func (w *ward) disturb(ctx context.Context) {
	actions := []services.Action{services.Start, services.Stop, services.Restart, services.Kill, services.Start}
	for ctx.Err() == nil {
		name := w.names[rand.N(len(w.names))]
		action := actions[rand.N(len(actions))]
		delete(w.wanted, name)
		w.killed[name] = w.killed[name] || action == services.Kill
		if _, err := w.client.Do(ctx, services.Order{Action: action, Servers: []string{name}}); err != nil {
			return // the manager was killed before it confirmed
		}
		w.wanted[name] = services.Up
		if action == services.Stop || action == services.Kill {
			w.wanted[name] = services.Down
		}
	}
}

// settled checks that every server is what it is wanted to be, exactly once.
// Each has to be found so at some moment, not all at the same one: a witness
// fails by itself now and then, and on a busy machine one of twenty always does.
func (w *ward) settled() {
	w.t.Helper()
	unsettled := map[string]string{} // why not
	for _, name := range w.names {
		unsettled[name] = "not listed"
	}
	w.until("every server is as wanted", 20*time.Second, func() string {
		list, err := w.client.List(w.t.Context())
		if err != nil {
			return err.Error()
		}
		for _, s := range list {
			if _, open := unsettled[s.Name]; !open {
				continue
			}
			if why := w.amiss(s); why != "" {
				unsettled[s.Name] = why
			} else {
				delete(unsettled, s.Name)
			}
		}
		var all []string
		for _, name := range slices.Sorted(maps.Keys(unsettled)) {
			all = append(all, unsettled[name])
		}
		return strings.Join(all, "; ")
	})
	for _, name := range w.names {
		if text, err := os.ReadFile(filepath.Join(w.dir, name+".double")); err == nil {
			w.t.Fatalf("%s had two instances: %s", name, text)
		}
	}
}

// amiss says how a server differs from what it is wanted to be, if it does.
func (w *ward) amiss(s services.Status) string {
	want, sure := w.wanted[s.Name]
	if sure && want != s.Want {
		return fmt.Sprintf("%s is wanted %s, but %s was confirmed", s.Name, s.Want, want)
	}
	pid := w.alive(s.Name)
	switch {
	case !sure && s.Phase == services.Exited && pid == 0:
		// A restart that nobody confirmed: it was told to end, and did.
	case s.Want == services.Up && (s.Phase != services.Running || pid == 0 || int(s.PID) != pid):
		return fmt.Sprintf("%s is %s with pid %d, but pid %d lives", s.Name, s.Phase, s.PID, pid)
	case s.Want == services.Down && (s.Phase != services.Stopped || pid != 0):
		return fmt.Sprintf("%s is %s, but pid %d lives", s.Name, s.Phase, pid)
	}
	return ""
}

// resolve ends the doubt about orders that were not confirmed. A restart, for
// the signal of such an order may still be on its way.
func (w *ward) resolve() {
	w.t.Helper()
	for _, name := range w.names {
		if _, sure := w.wanted[name]; sure {
			continue
		}
		if _, err := w.client.Do(w.t.Context(), services.Order{Action: services.Restart, Servers: []string{name}}); err != nil {
			w.t.Fatal(err)
		}
		w.wanted[name] = services.Up
	}
	w.settled()
}

// honest checks that no exit was invented: an exit code that is shown is one
// that the server's own books know.
func (w *ward) honest() {
	w.t.Helper()
	list, err := w.client.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range list {
		if s.Exit == nil || !s.Exit.Seen {
			continue
		}
		if s.Exit.Signal == syscall.SIGKILL {
			continue // the manager's own doing
		}
		books, _ := os.ReadFile(filepath.Join(w.dir, s.Name+".exits"))
		if !strings.Contains(string(books), fmt.Sprintf(" %d\n", s.Exit.Code)) && s.Exit.Signal != syscall.SIGTERM {
			w.t.Errorf("%s: %s was never written by the server, which knows %q", s.Name, s.Exit.Reason(), books)
		}
	}
}

// complete checks that the log holds every line of every instance.
func (w *ward) complete() {
	w.t.Helper()
	for _, name := range w.names {
		book, _ := os.ReadFile(filepath.Join(w.dir, name+".count")) // first: the server writes on
		f, err := os.Open(filepath.Join(w.dir, ".tend", "logs", name+".log"))
		if err != nil {
			w.t.Fatal(err)
		}
		last := map[string]int{}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			pid, count, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.Atoi(count)
			if err != nil || n != last[pid]+1 {
				w.t.Fatalf("%s: line %q follows number %d of that instance", name, lines.Text(), last[pid])
			}
			last[pid] = n
		}
		f.Close()
		if noted := strings.Fields(string(book)); len(noted) == 0 {
			continue // it has just begun
		} else if len(noted) != 2 {
			w.t.Errorf("%s counted its lines as %q", name, book)
		} else if n, _ := strconv.Atoi(noted[1]); last[noted[0]] < n {
			w.t.Errorf("%s: instance %s wrote %d lines, the log has %d", name, noted[0], n, last[noted[0]])
		}
	}
}

// rounds kills the manager again and again at random moments.
func (w *ward) rounds(n int, between func(round int)) {
	w.open()
	w.settled()
	for round := range n {
		clear(w.killed)
		ctx, cancel := context.WithCancel(w.t.Context())
		quiet := make(chan struct{})
		go func() {
			defer close(quiet)
			w.disturb(ctx)
		}()
		<-time.After(time.Duration(rand.N(300)) * time.Millisecond)
		w.kill()
		cancel()
		<-quiet
		between(round)
		before := w.pids()
		w.open()
		w.settled()
		w.untouched(before)
		w.honest()
		w.resolve()
	}
	w.complete()
}

// pids returns who lives now, of the servers whose want is known.
func (w *ward) pids() map[string]int {
	out := map[string]int{}
	for name, want := range w.wanted {
		if pid := w.alive(name); want == services.Up && pid != 0 && !w.killed[name] {
			out[name] = pid
		}
	}
	return out
}

// untouched checks that a server that lived before still does, or has ended by
// its own decision.
func (w *ward) untouched(before map[string]int) {
	w.t.Helper()
	for name, pid := range before {
		if w.alive(name) == pid {
			continue
		}
		// After that: who ends by its own decision notes it first.
		books, _ := os.ReadFile(filepath.Join(w.dir, name+".exits"))
		if !strings.Contains("\n"+string(books), fmt.Sprintf("\n%d ", pid)) {
			w.t.Errorf("%s had pid %d, which was ended although nobody asked for that", name, pid)
		}
	}
}

func nothing(int) {}

func TestServersOutliveManagersThatAreKilledAtRandomMoments(t *testing.T) {
	w := newWard(t, 20, nil)
	w.rounds(30, nothing)
}

func TestServersOutliveKilledManagersWithoutCgroups(t *testing.T) {
	w := newWard(t, 20, nil)
	w.args = []string{"--without", "cgroup"}
	w.rounds(6, nothing)
}

func TestServersOutliveKilledManagersWithoutExitInfo(t *testing.T) {
	w := newWard(t, 20, nil)
	w.args = []string{"--without", "exit-info,connector"}
	w.rounds(6, nothing)
}

func TestServersOfAnOrdinaryUserOutliveKilledManagers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	w := newWard(t, 20, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
	w.rounds(6, nothing)
}

func TestServersOutliveKilledManagersUnderTheDefaultCapabilitiesOfAContainer(t *testing.T) {
	if _, err := exec.LookPath("setpriv"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and setpriv (package util-linux)")
	}
	const caps = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap"
	w := newWard(t, 20, nil)
	w.wrap = []string{"setpriv", "--bounding-set", caps, "--inh-caps", caps}
	w.rounds(6, nothing)
}

func TestTwoManagersWhoseServersBearTheSameNamesLeaveEachOtherAlone(t *testing.T) {
	neighbour := newWard(t, 20, nil)
	neighbour.open()
	neighbour.settled()
	w := newWard(t, 20, nil)
	w.rounds(6, nothing)
	neighbour.settled()
	neighbour.kill()
	neighbour.open()
	neighbour.settled()
}

func TestServersAreFoundAgainWithoutTheStateFile(t *testing.T) {
	harm := []func(path string) error{
		os.Remove,
		func(path string) error { return os.Truncate(path, 0) },
		func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, rand.N(info.Size()))
		},
		func(path string) error { return os.WriteFile(path, []byte("\x00\xff rubbish {{{"), 0o600) },
		func(path string) error { return os.WriteFile(path, []byte(`{"version":1,"servers":[17]}`), 0o600) },
	}
	for _, without := range [][]string{nil, {"--without", "cgroup"}} {
		t.Run("serve "+strings.Join(without, " "), func(t *testing.T) {
			w := newWard(t, 20, nil)
			w.args = without
			w.rounds(len(harm), func(round int) {
				if err := harm[round](filepath.Join(w.dir, ".tend", "state.json")); err != nil {
					t.Fatal(err)
				}
				clear(w.wanted) // what was down is up again: autostart decides where nothing is known
			})
		})
	}
}
