package history

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tend/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a store in a directory of its own, and what it reported.
type house struct {
	*Store
	t    testing.TB
	path string
	stop func() error

	mu      sync.Mutex // guards what follows
	reports []string
	lines   map[string][]string
	asked   []time.Time // when the runs began whose lines were asked for
}

// build opens a store that does not run yet.
func build(t testing.TB, path string, change ...func(*Options)) *house {
	t.Helper()
	h := &house{t: t, path: path, lines: make(map[string][]string)}
	o := Options{Path: path, Report: h.report, Lines: h.last, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range change {
		c(&o)
	}
	var err error
	if h.Store, err = Open(o); err != nil {
		t.Fatal(err)
	}
	h.stop = func() error { h.writer.drop(); return nil }
	t.Cleanup(func() { h.stop() })
	return h
}

// run runs the writer until stop.
func (h *house) run() *house {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	return h
}

func open(t testing.TB, path string, change ...func(*Options)) *house {
	t.Helper()
	return build(t, path, change...).run()
}

// long keeps events of any time.
func long(o *Options) { o.Keep = 100 * 365 * 24 * time.Hour }

// file is a path in a new directory.
func file(t testing.TB) string { return filepath.Join(t.TempDir(), FileName) }

func (h *house) end() {
	h.t.Helper()
	if err := h.stop(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) report(e services.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Kind != services.EventHistory || e.Server != "" || e.Message == "" {
		h.t.Errorf("reported %+v", e)
	}
	h.reports = append(h.reports, e.Message)
}

func (h *house) last(server string, began time.Time) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, began)
	return h.lines[server]
}

// wantReports compares all reports so far with the beginnings, or parts, of
// what is expected.
func (h *house) wantReports(parts ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range max(len(parts), len(h.reports)) {
		switch {
		case i >= len(parts):
			h.t.Errorf("reported too: %s", h.reports[i])
		case i >= len(h.reports):
			h.t.Errorf("not reported: %s", parts[i])
		case !strings.Contains(h.reports[i], parts[i]):
			h.t.Errorf("report %d is %q, want %q", i, h.reports[i], parts[i])
		}
	}
}

// settle lets everything that waits be written; call it within a bubble.
func (h *house) settle() {
	<-time.After(time.Second)
	synctest.Wait()
}

// events returns a page; there must be no error.
func (h *house) events(q services.HistoryQuery) services.HistoryPage {
	h.t.Helper()
	page, err := h.Events(h.t.Context(), q)
	if err != nil {
		h.t.Fatal(err)
	}
	return page
}

func (h *house) runs(server string) []services.PastRun {
	h.t.Helper()
	runs, err := h.Runs(h.t.Context(), server, time.Time{}, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return runs
}

func (h *house) samples(server string, from, to time.Time, points int) []services.Sample {
	h.t.Helper()
	samples, err := h.Samples(h.t.Context(), server, from, to, points)
	if err != nil {
		h.t.Fatal(err)
	}
	return samples
}

// execute has the writer's connection do something.
func (h *house) execute(statement string) {
	h.t.Helper()
	if _, err := h.writer.base.conn.ExecContext(h.t.Context(), statement); err != nil {
		h.t.Fatal(err)
	}
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(t time.Time) services.Time { return services.Time{Time: t} }

// event makes the nth event, a second after the one before.
func event(n int, kind services.EventKind, server, message string) services.Event {
	return services.Event{ID: uint64(n), At: at(epoch.Add(time.Duration(n) * time.Second)), Kind: kind, Server: server, Message: message}
}

// ids writes the ids of a page down.
func ids(p services.HistoryPage) string {
	var out []string
	for _, e := range p.Events {
		out = append(out, fmt.Sprint(e.ID))
	}
	return strings.Join(out, " ")
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// aside lists what was set aside, without what lies beside it.
func aside(t testing.TB, path string) []string {
	t.Helper()
	all, err := filepath.Glob(path + asideMark + "*Z")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func contextThatEnded(t *testing.T) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}
