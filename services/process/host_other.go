//go:build !linux

package process

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// Host is the machine, seen through what every Unix has: process groups and
// wait. What is weaker than on Linux: a process that leaves its group is not
// found again, and the exit of a server of an earlier manager is unknown.
type Host struct {
	discreet
	instance string
	log      *slog.Logger
	null     *os.File

	ctx  context.Context // ends with Run
	end  context.CancelFunc
	work sync.WaitGroup

	asked atomic.Uint64 // for changes

	mu   sync.Mutex // guards what follows
	live map[string]*Process
}

// New looks at what the machine offers.
func New(o Options) (*Host, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	h := &Host{discreet: newDiscreet(o), instance: o.Instance, log: o.Log, null: null, live: map[string]*Process{}}
	h.ctx, h.end = context.WithCancel(context.Background())
	return h, nil
}

// Prepare has nothing to do here.
func Prepare() {}

// ReapForever waits for ctx: nothing comes back to us here.
func ReapForever(ctx context.Context) { <-ctx.Done() }

// Boot returns the time of the last boot, as far as the system tells.
func (h *Host) Boot() string {
	at, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return "unknown"
	}
	return strconv.FormatInt(int64(at.Sec), 10)
}

// Limits says in words which limits of a server are in force for a run of it.
func (h *Host) Limits(s services.Server, _ services.Run) string { return inForce(s.Limits, limited{}) }

// Run works in the background until ctx ends.
func (h *Host) Run(ctx context.Context) error {
	<-ctx.Done()
	h.end()
	return nil // the goroutines that wait for children end with the program
}

// Start begins a run.
func (h *Host) Start(spec Spec) (*Process, error) {
	l, err := prepare(spec, h.instance)
	if err != nil {
		return nil, err
	}
	l.program, l.argv = within(spec.Server, limited{}, l.program, l.argv)
	attr := &syscall.ProcAttr{
		Dir: spec.Server.Dir, Env: l.env,
		Files: []uintptr{h.null.Fd(), spec.Log.Fd(), spec.Log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true, Credential: l.who.credential()},
	}
	pid, err := syscall.ForkExec(l.program, l.argv, attr)
	if err != nil {
		return nil, startError(err, spec.Server)
	}
	now := time.Now()
	run := services.Run{ID: spec.ID, Server: spec.Server.Name, Boot: h.Boot(), StartedAt: now, Leader: services.Identity{PID: pid}}
	p := newProcess(h, run)
	h.work.Go(func() {
		var ws syscall.WaitStatus
		for {
			_, err := syscall.Wait4(pid, &ws, 0, nil)
			if !errors.Is(err, syscall.EINTR) {
				break
			}
		}
		p.ended(services.ExitFromStatus(ws, time.Now()))
	})
	return p, nil
}

// Adopt takes over a run of an earlier manager. NotFound when it is gone.
func (h *Host) Adopt(run services.Run) (*Process, error) {
	if !alive(run.Leader.PID) {
		return nil, services.Errorf(services.NotFound, "nothing of run %s of %s is alive", run.ID, run.Server)
	}
	p := newProcess(h, run)
	h.work.Go(func() {
		if h.poll(func() bool { return !alive(run.Leader.PID) }) {
			p.ended(services.UnknownExit(time.Now()))
		}
	})
	return p, nil
}

// Ended knows nothing of runs of an earlier manager.
func (h *Host) Ended(services.Run) services.Exit { return services.UnknownExit(time.Now()) }

// Find returns the known runs whose main process is alive.
func (h *Host) Find(known []services.Run) ([]services.Run, error) {
	var out []services.Run
	boot := h.Boot()
	for _, run := range known {
		if run.Boot == boot && alive(run.Leader.PID) {
			out = append(out, run)
		}
	}
	return out, nil
}

// Holder knows nobody here.
func (h *Host) Holder(int) (services.Holder, bool, error) { return services.Holder{}, false, nil }

// Variables knows no environments.
func (h *Host) Variables(services.Identity, []string) map[string]string { return nil }

// Command knows no command lines.
func (h *Host) Command(int) string { return "" }

// Owns reports whether the process is the main one of a run.
func (h *Host) Owns(pid int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.live {
		if p.run.Leader.PID == pid {
			return true
		}
	}
	return false
}

// KillForeign is refused: the identity of a process cannot be verified here.
func (h *Host) KillForeign(_ context.Context, holder services.Holder, _ time.Duration) error {
	return services.Errorf(services.Forbidden, "pid %d is not ended: this system cannot tell it from another process for sure", holder.PID)
}

// OwnsSocket says yes: nobody can look.
func (h *Host) OwnsSocket(string, []uint32) bool { return true }

// Halted knows of none: nobody looks.
func (h *Host) Halted(...string) []string { return nil }

// Notices waits for ctx: who sends a message is not known here.
func (h *Host) Notices(ctx context.Context, begun func(), _ func(Notice)) error {
	begun()
	<-ctx.Done()
	return nil
}

// MemoryKind says nothing: nothing is measured.
func (h *Host) MemoryKind(services.Run) services.MemoryKind { return "" }

// OutOfMemory says no: nobody tells.
func (p *Process) OutOfMemory() bool { return false }

// Signal refuses: without a handle on a process somebody else may have its pid
// by the time the signal arrives.
func (h *Host) Signal(string, int, syscall.Signal) error {
	return services.Errorf(services.Conflict, "a single process can be sent a signal on Linux only: stop or kill the server instead")
}

// List returns the main process of a live run: its tree is not known here.
func (h *Host) List(id string) []services.TreeProcess {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.live {
		if p.run.ID == id {
			return []services.TreeProcess{{
				PID: p.run.Leader.PID, StartedAt: services.Time{Time: p.run.StartedAt}, Memory: services.Unknown, Threads: services.Unknown,
			}}
		}
	}
	return nil
}

// Changes grows with each call: what lives is not noted.
func (h *Host) Changes() uint64 { return h.asked.Add(1) }

// Meter knows what runs use on Linux only.
type Meter struct{ host *Host }

// NewMeter makes a meter of the host's runs.
func (h *Host) NewMeter() *Meter { return &Meter{h} }

// Read lists the live runs; nothing is known of what they use.
func (m *Meter) Read(context.Context, bool) iter.Seq[Usage] {
	m.host.mu.Lock()
	defer m.host.mu.Unlock()
	out := make([]Usage, 0, len(m.host.live))
	for _, p := range m.host.live {
		out = append(out, unmeasured(p.run))
	}
	return slices.Values(out)
}

// pollPause is how often a process is looked at that sends no event.
const pollPause = 200 * time.Millisecond

// poll waits until done is true; false when the host ends first.
func (h *Host) poll(done func() bool) bool {
	tick := time.NewTicker(pollPause)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-h.ctx.Done():
			return false
		}
	}
	return true
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// Process is one live run: the process group of its main process.
type Process struct {
	host   *Host
	run    services.Run
	exited chan struct{}
	gone   chan struct{}
	drain  sync.Once
	news   bell

	mu   sync.Mutex // guards what follows
	exit services.Exit
	kill bool
}

func newProcess(h *Host, run services.Run) *Process {
	p := &Process{host: h, run: run, exited: make(chan struct{}), gone: make(chan struct{})}
	h.mu.Lock()
	h.live[run.ID] = p
	h.mu.Unlock()
	return p
}

func (p *Process) ended(exit services.Exit) {
	p.mu.Lock()
	p.exit = exit
	p.mu.Unlock()
	close(p.exited)
	p.news.tell()
}

// OnNews has tell called after Exited or Gone has got something to say. It must
// not block.
func (p *Process) OnNews(tell func()) { p.news.Store(&tell) }

// Run returns what a later manager needs in order to find the process again.
func (p *Process) Run() services.Run { return p.run }

// Tracking says that a process group is all that is known.
func (p *Process) Tracking() services.Tracking { return services.TrackGroup }

// Exited is closed when the main process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Exit says how the main process ended.
func (p *Process) Exit() services.Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

// Changed never yields here.
func (p *Process) Changed() <-chan struct{} { return nil }

// Gone is closed when nothing of the process group is left.
func (p *Process) Gone() <-chan struct{} { return p.gone }

// Survivors returns the group's number while something of it is alive.
func (p *Process) Survivors() []int {
	select {
	case <-p.gone:
		return nil
	default:
		return []int{p.run.Leader.PID}
	}
}

// Signal sends to the main process or to its group.
func (p *Process) Signal(sig syscall.Signal, to services.SignalTarget) error {
	defer p.await()
	pid := -p.run.Leader.PID
	if to == services.ToMain {
		pid = -pid
	}
	if err := syscall.Kill(pid, sig); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// Kill sends SIGKILL to the group until it is gone.
func (p *Process) Kill() {
	p.mu.Lock()
	p.kill = true
	p.mu.Unlock()
	syscall.Kill(-p.run.Leader.PID, syscall.SIGKILL) //nolint:errcheck // looked at again until it is gone
	p.await()
}

// await starts the goroutine that waits for the group, once.
func (p *Process) await() {
	p.drain.Do(func() {
		p.host.work.Go(func() {
			group := -p.run.Leader.PID
			gone := p.host.poll(func() bool {
				p.mu.Lock()
				kill := p.kill
				p.mu.Unlock()
				if kill {
					syscall.Kill(group, syscall.SIGKILL) //nolint:errcheck // as above
				}
				return !alive(group)
			})
			if gone {
				<-p.exited
				p.host.mu.Lock()
				delete(p.host.live, p.run.ID)
				p.host.mu.Unlock()
				close(p.gone)
				p.news.tell()
			}
		})
	})
}
