package state

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tend/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is what the files in testdata hold; version 0 has the first two
// servers, without what came later.
func fixture() []services.Record {
	at := time.Date(2025, 11, 3, 8, 15, 29, 0, time.UTC)
	return []services.Record{
		{Name: "api", Want: services.Up, Phase: services.Running, Rev: 7, Run: &services.Run{
			ID: "00112233445566aa", Server: "api", Boot: "6f9f2b6e-4b8e-4f0e-9a1d-0c8f5f3a2b11",
			Leader:  services.Identity{PID: 4242, Start: 987654},
			Members: []services.Identity{{PID: 4243, Start: 987660}},
			Cgroup:  "/sys/fs/cgroup/tend-0123456789abcdef/00112233445566aa", Digest: "d1",
			StartedAt: time.Date(2025, 11, 3, 8, 15, 30, 250_000_000, time.UTC),
		}},
		{Name: "db", Want: services.Down, Phase: services.Stopped, Restarts: 2, Failures: 1, Why: "because", Rev: 3,
			Exit: &services.Exit{Code: -1, Signal: syscall.SIGKILL, Core: true, Seen: true, At: at.Add(125 * time.Millisecond)}},
		{Name: "job", Want: services.Up, Phase: services.Exited, Rev: 4, Exit: &services.Exit{Code: 3, Seen: true, At: at}},
		{Name: "old", Want: services.Up, Phase: services.BackOff, Rev: 5, Exit: &services.Exit{Code: -1, At: at}},
	}
}

// house is a store in a directory of its own, and what it reported.
type house struct {
	*Store
	t    *testing.T
	dir  string
	got  Loaded
	stop func() error

	mu      sync.Mutex // guards what follows
	reports []string
}

// open opens the directory without running the writer.
func open(t *testing.T, dir string) *house {
	t.Helper()
	h := &house{t: t, dir: dir}
	var err error
	h.Store, h.got, err = Open(dir, Options{Log: slog.New(slog.DiscardHandler), Report: func(e services.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if e.Kind != services.EventState || e.Server != "" {
			t.Errorf("reported %+v", e)
		}
		h.reports = append(h.reports, e.Message)
	}})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return h
}

// run runs the writer until stop.
func run(t *testing.T, dir string) *house {
	t.Helper()
	h := open(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { h.stop() })
	return h
}

func (h *house) reported() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.reports...)
}

func (h *house) flush() {
	h.t.Helper()
	if err := h.Flush(h.t.Context()); err != nil {
		h.t.Fatalf("flush: %v", err)
	}
}

// file decodes what is on disk.
func file(t *testing.T, dir string) document {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := decode(data)
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return doc
}

func wantRecords(t *testing.T, got, want []services.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("record %d\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// used is a directory as an earlier manager has left it.
func used(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	data, err := os.ReadFile("testdata/version-1.json")
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, fileName, string(data))
	put(t, dir, "instance", "0123456789abcdef\n")
	return dir
}

// aside lists the names of what was set aside.
func aside(t *testing.T, dir, name string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, name+".corrupt-*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func wantSentence(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%q does not say %q", got, part)
		}
	}
}
