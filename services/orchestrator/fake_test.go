package orchestrator

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
	"tend/services/events"
	"tend/services/monitor"
	"tend/services/process"
)

// fakeHost starts processes that exist only in this struct.
type fakeHost struct {
	mu sync.Mutex // guards what follows

	live    map[string]*fakeProcess // by run id
	started []string                // servers, in the order of their starts
	signals []string                // servers, in the order of their first stop signal
	kills   []string
	fail    map[string]error // what a start of the server answers
	deaf    map[string]bool  // servers that ignore the stop signal
	holders map[int]services.Holder
	ended   []int // foreign pids that were ended
	nextPID int
	both    []string // servers that had two live runs at once
	secrets Secrets
	given   []map[string]string // the secrets of each start
}

func newFakeHost() *fakeHost {
	return &fakeHost{live: map[string]*fakeProcess{}, fail: map[string]error{}, deaf: map[string]bool{},
		holders: map[int]services.Holder{}, nextPID: 100}
}

type fakeProcess struct {
	host    *fakeHost
	run     services.Run
	exited  chan struct{}
	gone    chan struct{}
	exit    services.Exit
	tell    func()
	leftmen int // leftovers that only a kill ends
}

func (h *fakeHost) Start(spec process.Spec) (Process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := spec.Server.Name
	if err := h.fail[name]; err != nil {
		return nil, err
	}
	for _, p := range h.live {
		if p.run.Server == name {
			h.both = append(h.both, name)
		}
	}
	h.given = append(h.given, spec.Secrets)
	h.nextPID++
	h.started = append(h.started, name)
	return h.add(services.Run{ID: spec.ID, Server: name, Boot: "boot", StartedAt: time.Now(),
		Leader: services.Identity{PID: h.nextPID, Start: 1}}), nil
}

func (h *fakeHost) add(run services.Run) *fakeProcess {
	p := &fakeProcess{host: h, run: run, exited: make(chan struct{}), gone: make(chan struct{}), tell: func() {}}
	h.live[run.ID] = p
	return p
}

func (h *fakeHost) Adopt(run services.Run) (Process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.live[run.ID]
	if p == nil {
		return nil, services.Errorf(services.NotFound, "nothing of run %s is alive", run.ID)
	}
	return p, nil
}

func (h *fakeHost) Find([]services.Run) ([]services.Run, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []services.Run
	for _, p := range h.live {
		out = append(out, p.run)
	}
	slices.SortFunc(out, func(a, b services.Run) int { return cmp.Compare(a.Leader.PID, b.Leader.PID) })
	return out, nil
}

func (h *fakeHost) Ended(services.Run) services.Exit { return services.UnknownExit(time.Now()) }

func (h *fakeHost) Limits(services.Server, services.Run) string { return "" }

func (h *fakeHost) MemoryKind(services.Run) services.MemoryKind { return services.MemoryRSS }

func (h *fakeHost) Holder(port int) (services.Holder, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	holder, held := h.holders[port]
	return holder, held, nil
}

func (h *fakeHost) Command(pid int) string { return fmt.Sprintf("command of %d", pid) }

func (h *fakeHost) Owns(pid int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.live {
		if p.run.Leader.PID == pid {
			return true
		}
	}
	return false
}

func (h *fakeHost) KillForeign(_ context.Context, holder services.Holder, _ time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if holder.PID == 1 {
		return services.Errorf(services.Forbidden, "pid 1 is never ended")
	}
	h.ended = append(h.ended, holder.PID)
	for port, other := range h.holders {
		if other.PID == holder.PID {
			delete(h.holders, port)
		}
	}
	return nil
}

// crash ends the main process of a server by itself.
func (h *fakeHost) crash(name string, code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.live {
		if p.run.Server == name {
			p.end(services.Exit{Code: code, At: time.Now(), Seen: true})
		}
	}
}

// end needs the host's lock.
func (p *fakeProcess) end(exit services.Exit) {
	select {
	case <-p.exited:
	default:
		p.exit = exit
		close(p.exited)
		p.tell()
	}
	if p.leftmen == 0 {
		p.bury()
	}
}

func (p *fakeProcess) bury() {
	select {
	case <-p.gone:
	default:
		close(p.gone)
		delete(p.host.live, p.run.ID)
		p.tell()
	}
}

func (p *fakeProcess) Run() services.Run           { return p.run }
func (p *fakeProcess) Tracking() services.Tracking { return services.TrackCgroup }
func (p *fakeProcess) Exited() <-chan struct{}     { return p.exited }
func (p *fakeProcess) Exit() services.Exit         { return p.exit }
func (p *fakeProcess) OutOfMemory() bool           { return p.run.Server == "hungry" }
func (p *fakeProcess) Changed() <-chan struct{}    { return nil }
func (p *fakeProcess) Gone() <-chan struct{}       { return p.gone }
func (p *fakeProcess) Survivors() []int            { return nil }

func (p *fakeProcess) OnNews(tell func()) {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	p.tell = tell
}

func (p *fakeProcess) Signal(sig syscall.Signal, _ services.SignalTarget) error {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	p.host.signals = append(p.host.signals, p.run.Server)
	if !p.host.deaf[p.run.Server] {
		p.end(services.Exit{Code: -1, Signal: sig, At: time.Now(), Seen: true})
	}
	return nil
}

func (p *fakeProcess) Kill() {
	p.host.mu.Lock()
	defer p.host.mu.Unlock()
	p.host.kills = append(p.host.kills, p.run.Server)
	p.leftmen = 0
	p.end(services.Exit{Code: -1, Signal: syscall.SIGKILL, At: time.Now(), Seen: true})
}

// signalled returns the servers that were sent the stop signal, in order.
func (h *fakeHost) signalled() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.signals, " ")
}

// fakeTrades are the remaining services.
type fakeTrades struct {
	mu      sync.Mutex // guards records
	records map[string]services.Record
}

func (f *fakeTrades) Put(rec services.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.records[rec.Name] = rec
}

func (f *fakeTrades) Forget(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.records, name)
}

func (f *fakeTrades) Flush(context.Context) error { return nil }

func (f *fakeTrades) Begin(string, services.LogPolicy) (*os.File, error) {
	return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
}

func (f *fakeTrades) Attach(string, services.LogPolicy) {}
func (f *fakeTrades) End(string) string                 { return "3.14" }

// fakeChecker remembers what it was asked to check.
type fakeChecker struct {
	mu     sync.Mutex // guards what follows
	begun  map[string]monitor.Watched
	begins int
}

func (c *fakeChecker) Hurry(string) {}

func (c *fakeChecker) Begin(w monitor.Watched) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun[w.Server.Name] = w
	c.begins++
}

func (c *fakeChecker) End(server string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.begun, server)
}

func (c *fakeChecker) of(server string) (monitor.Watched, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, ok := c.begun[server]
	return w, ok
}

func (f *fakeTrades) all() []services.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []services.Record
	for _, rec := range f.records {
		out = append(out, rec)
	}
	return out
}

// house is an orchestrator over fakes.
type house struct {
	usage *services.Sample // of every server
	*Orchestrator
	t       *testing.T
	host    *fakeHost
	trades  *fakeTrades
	checker *fakeChecker
	bus     *events.Bus
	stop    context.CancelFunc
	done    chan error
}

// server returns a configured server with the defaults that a test wants.
func server(name string, change ...func(*services.Server)) services.Server {
	s := services.Server{
		Name: name, Command: services.Command{Argv: []string{"/bin/" + name}}, Umask: -1, Autostart: true,
		Restart: services.RestartOnFailure,
		Backoff: services.Backoff{Min: 100 * time.Millisecond, Max: time.Second, Reset: time.Minute},
		Stop:    services.StopPolicy{Signal: syscall.SIGTERM, Timeout: 10 * time.Second, To: services.ToGroup},
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func needs(names ...string) func(*services.Server) {
	return func(s *services.Server) { s.DependsOn = services.DependOn(names...) }
}

func off(s *services.Server) { s.Autostart = false }

func onPort(port int) func(*services.Server) { return func(s *services.Server) { s.Port = port } }

// open starts an orchestrator on what the host and the trades hold. Call it
// within a synctest bubble.
func open(t *testing.T, host *fakeHost, records []services.Record, clean bool, servers ...services.Server) *house {
	t.Helper()
	h := &house{t: t, host: host, trades: &fakeTrades{records: map[string]services.Record{}}, checker: &fakeChecker{begun: map[string]monitor.Watched{}}, bus: events.New(), done: make(chan error, 1)}
	for _, rec := range records {
		h.trades.Put(rec)
	}
	orch, err := New(Options{
		Servers: servers, Records: records, Clean: clean, Boot: "boot",
		Digest: func(s services.Server) string { return s.Command.List()[0] },
		Times:  everyTenth,
		Trades: Trades{Host: host, Ports: host, State: h.trades, Bus: h.bus, Logs: h.trades, Checker: h.checker, Secrets: host.secrets,
			Usage: func(string) *services.Sample { return h.usage }, Log: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Orchestrator = orch
	ctx, cancel := context.WithCancel(t.Context())
	h.stop = cancel
	go func() { h.done <- orch.Run(ctx) }()
	return h
}

// everyTenth fires at every tenth second of the clock, whatever the cron line says.
func everyTenth(services.Schedule) (func(time.Time) time.Time, error) {
	return func(after time.Time) time.Time { return after.Truncate(10 * time.Second).Add(10 * time.Second) }, nil
}

func task(s *services.Server) {
	s.Type, s.Restart = services.Task, services.RestartNever
}

func scheduled(overlap services.Overlap) func(*services.Server) {
	return func(s *services.Server) {
		task(s)
		s.Schedule = services.Schedule{Cron: "*/10 * * * * *", Overlap: overlap}
	}
}

func dependsOn(name string, until services.Condition, lost services.LostAction) func(*services.Server) {
	return func(s *services.Server) {
		s.DependsOn = append(s.DependsOn, services.Dependency{Name: name, Until: until, WhenLost: lost})
	}
}

// starts returns how often a server was started.
func (h *house) starts(name string) int {
	h.host.mu.Lock()
	defer h.host.mu.Unlock()
	n := 0
	for _, s := range h.host.started {
		if s == name {
			n++
		}
	}
	return n
}

// close ends the manager, not the servers.
func (h *house) close() {
	h.stop()
	<-h.done
}

func (h *house) order(action services.Action, names ...string) {
	h.t.Helper()
	if _, err := h.Do(h.t.Context(), services.Order{Action: action, Servers: names}); err != nil {
		h.t.Fatalf("%s %v: %v", action, names, err)
	}
}

func (h *house) get(name string) services.Status {
	h.t.Helper()
	s, err := h.Get(h.t.Context(), name)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) phase(name string, want services.Phase) {
	h.t.Helper()
	if s := h.get(name); s.Phase != want {
		h.t.Errorf("%s is %s (%s), want %s", name, s.Phase, s.Why, want)
	}
}
