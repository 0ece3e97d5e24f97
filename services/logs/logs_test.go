package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tend/services"
)

func TestMain(m *testing.M) {
	benchWriter() // does not return in a writer
	goleak.VerifyTestMain(m)
}

// bench is a store in a directory of its own, and what it reported.
type bench struct {
	t     *testing.T
	dir   string
	store *Store

	mu     sync.Mutex // guards what follows
	events []services.Event
}

func newBench(t *testing.T, dir string, change ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, dir: dir}
	b.reopen(change...)
	t.Cleanup(func() { b.store.Close() })
	return b
}

// reopen is what the next manager does after this one was killed.
func (b *bench) reopen(change ...func(*Options)) {
	b.t.Helper()
	if b.store != nil {
		b.store.Close()
	}
	o := Options{Dir: b.dir, Report: func(e services.Event) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.events = append(b.events, e)
	}}
	for _, f := range change {
		f(&o)
	}
	store, err := Open(o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.store = store
}

func (b *bench) messages() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, e := range b.events {
		if e.Kind != services.EventLog && e.Kind != services.EventDisk {
			b.t.Errorf("event of kind %q: %+v", e.Kind, e)
		}
		out = append(out, e.Message)
	}
	return strings.Join(out, "\n")
}

// keep runs the store until the test ends.
func (b *bench) keep() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	store := b.store
	go func() { done <- store.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Errorf("Run: %v", err)
		}
	})
}

func (b *bench) begin(server string, limit int64) *os.File {
	b.t.Helper()
	f, err := b.store.Begin(server, services.LogPolicy{MaxSize: limit})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = f.Close() }) // some tests close it before
	return f
}

func (b *bench) read(server string, q Query) []Line {
	b.t.Helper()
	var out []Line
	for line, err := range b.store.Read(b.t.Context(), server, q) {
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func write(t *testing.T, f *os.File, text string) {
	t.Helper()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func texts(lines []Line) string {
	var out []string
	for _, l := range lines {
		text := string(l.Text)
		if l.Cut {
			text = fmt.Sprintf("%.5s...%d", text, len(text))
		}
		if l.Partial {
			text += "~"
		}
		out = append(out, text)
	}
	return strings.Join(out, "|")
}

// until tries again, yielding the processor, until ok or a deadline.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}
