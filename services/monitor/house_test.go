package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"tend/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a monitor in a bubble, whose clock is fake and whose sockets are
// real: a connection on the loopback takes no time.
type house struct {
	*Monitor
	t     *testing.T
	epoch time.Time
	stop  func()

	mu      sync.Mutex // guards what follows
	targets []Target
	asked   int           // how often for the targets
	stall   time.Duration // that the next answer takes
	results []Result
	holders map[int]services.Holder
	lookups int
	trouble error // of looking for a holder
}

// open runs a monitor; call it within a bubble.
func open(t *testing.T, interval time.Duration, targets ...Target) *house {
	t.Helper()
	h := build(t, interval, targets...)
	h.run()
	return h
}

// build makes a monitor that does not run yet.
func build(t *testing.T, interval time.Duration, targets ...Target) *house {
	t.Helper()
	h := &house{t: t, epoch: time.Now(), targets: targets, holders: make(map[int]services.Holder)}
	h.Monitor = New(Options{Interval: interval, Targets: h.list, Holder: h.holder, Report: h.report, Log: slog.New(slog.DiscardHandler)})
	return h
}

func (h *house) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
	h.t.Cleanup(h.stop)
}

// counts returns how often the monitor has asked for targets and holders.
func (h *house) counts() (looks, lookups int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked, h.lookups
}

func (h *house) looks() int {
	looks, _ := h.counts()
	return looks
}

// hold says who holds a port.
func (h *house) hold(port, pid int, command string) {
	h.set(func() { h.holders[port] = services.Holder{Identity: services.Identity{PID: pid}, Command: command} })
}

func (h *house) wantLookups(want int) {
	h.t.Helper()
	if _, got := h.counts(); got != want {
		h.t.Errorf("holders were looked up %d times, want %d", got, want)
	}
}

func (h *house) list(out []Target) []Target {
	h.mu.Lock()
	stall := h.stall
	h.stall = 0
	h.asked++
	out = append(out, h.targets...)
	h.mu.Unlock()
	if stall > 0 {
		<-time.After(stall)
	}
	return out
}

func (h *house) holder(port int) (services.Holder, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lookups++
	holder, found := h.holders[port]
	return holder, found, h.trouble
}

func (h *house) report(r Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.results = append(h.results, r)
}

// set changes what the monitor depends on.
func (h *house) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// after lets time pass and returns what was reported since the last call.
func (h *house) after(d time.Duration) []Result {
	h.t.Helper()
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	results := h.results
	h.results = nil
	return results
}

// say writes a result down, with its time since the beginning.
func (h *house) say(r Result) string {
	healthy := "nil"
	if r.Healthy != nil {
		healthy = strconv.FormatBool(*r.Healthy)
	}
	s := fmt.Sprintf("%v %s/%s %s", r.At.Sub(h.epoch), r.Server, r.Run, healthy)
	if r.Why != "" {
		s += " " + r.Why
	}
	if r.Holder != nil {
		s += fmt.Sprintf(" held by %d %s", r.Holder.PID, r.Holder.Command)
	}
	return s
}

func (h *house) want(got []Result, want ...string) {
	h.t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(want):
			h.t.Errorf("unexpected: %s", h.say(got[i]))
		case i >= len(got):
			h.t.Errorf("missing: %s", want[i])
		case h.say(got[i]) != want[i]:
			h.t.Errorf("got  %s\nwant %s", h.say(got[i]), want[i])
		}
	}
}

// listen opens a port that nobody accepts on: the kernel does, until the
// backlog is full.
func listen(t testing.TB, network, address string) (port int, closePort func()) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	closePort = sync.OnceFunc(func() { l.Close() })
	t.Cleanup(closePort)
	return l.Addr().(*net.TCPAddr).Port, closePort
}

// free returns a port on which nobody listens. It is taken from below those
// that the kernel gives to others, at random: tests may run beside each other.
func free(t testing.TB) int {
	t.Helper()
	for range 10_000 {
		port := 20_000 + rand.IntN(10_000)
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			continue
		}
		l.Close()
		return port
	}
	t.Fatal("no port is free")
	return 0
}

// hang opens a port whose backlog is full: connections stay open for ever.
func hang(t testing.TB) int {
	t.Helper()
	fd, err := newSocket(unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := name.(*unix.SockaddrInet4).Port
	for range 100 {
		c := conn{port: port}
		if state, err := c.connectAndKeep(t); err != nil {
			t.Fatal(err)
		} else if state == pending {
			return port
		}
	}
	t.Skip("the backlog of a port cannot be filled here")
	return 0
}

// connectAndKeep connects and leaves the connection open until the end of the
// test.
func (c *conn) connectAndKeep(t testing.TB) (state, error) {
	fd, err := newSocket(unix.AF_INET)
	if err != nil {
		return broken, err
	}
	c.fd, c.family = fd, unix.AF_INET
	t.Cleanup(c.close)
	unix.Connect(fd, &unix.SockaddrInet4{Port: c.port, Addr: [4]byte{127, 0, 0, 1}}) //nolint:errcheck // poll says
	return c.poll()
}
