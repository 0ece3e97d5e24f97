//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// bell is a FIFO on which tiny servers say what happens to them. Its goroutine
// reads; one figure listens.
type bell struct {
	path  string
	file  *os.File
	notes chan note
	done  chan struct{} // closed when the reader has ended
}

// note is one line: what happened to which server, and when by CLOCK_MONOTONIC.
type note struct {
	kind, tag string
	pid       int
	from, to  int64
}

// newBell hangs up a bell, which close takes down.
func newBell(dir string) (*bell, error) {
	dir, err := os.MkdirTemp(dir, "bell-")
	if err != nil {
		return nil, err
	}
	b := &bell{path: filepath.Join(dir, "bell"), notes: make(chan note, 8192), done: make(chan struct{})}
	if err := syscall.Mkfifo(b.path, 0o600); err != nil {
		return nil, fmt.Errorf("make a FIFO: %w", err)
	}
	// Reading and writing, so that there is a reader, and no end, from now on.
	if b.file, err = os.OpenFile(b.path, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	go b.read()
	return b, nil
}

func (b *bell) close() {
	b.file.Close() //nolint:errcheck // it ends the reader
	<-b.done
}

func (b *bell) read() {
	defer close(b.done)
	defer close(b.notes)
	lines := bufio.NewScanner(b.file)
	for lines.Scan() {
		n, err := parseNote(lines.Text())
		if err != nil {
			n = note{kind: err.Error()}
		}
		select {
		case b.notes <- n:
		default:
			return // nobody listens any more
		}
	}
}

func parseNote(line string) (n note, err error) {
	if _, err = fmt.Sscanf(line, "%s %s %d %d %d", &n.kind, &n.tag, &n.pid, &n.from, &n.to); err != nil {
		return n, fmt.Errorf("a tiny server said %q: %w", line, err)
	}
	return n, nil
}

// next waits for a note.
func (b *bell) next(ctx context.Context) (note, error) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case n, ok := <-b.notes:
		if !ok {
			return n, fmt.Errorf("the bell at %s is broken", b.path)
		}
		return n, nil
	case <-ctx.Done():
		return note{}, ctx.Err()
	case <-timer.C:
		return note{}, fmt.Errorf("no server has said anything for %v", patience)
	}
}

// expect waits for a note of the given kind and server. Any other is an error.
func (b *bell) expect(ctx context.Context, kind, tag string) (note, error) {
	n, err := b.next(ctx)
	if err == nil && (n.kind != kind || n.tag != tag) {
		err = fmt.Errorf("server %s says %q (pid %d), where server %s was to say %q", n.tag, n.kind, n.pid, tag, kind)
	}
	return n, err
}

// gather waits for so many notes, each of a kind that is expected.
func (b *bell) gather(ctx context.Context, count int, kinds ...string) ([]note, error) {
	out := make([]note, 0, count)
	expected := make(map[string]bool)
	for _, k := range kinds {
		expected[k] = true
	}
	for len(out) < count {
		n, err := b.next(ctx)
		if err != nil {
			return nil, fmt.Errorf("%d of %d servers have reported: %w", len(out), count, err)
		}
		if !expected[n.kind] {
			return nil, fmt.Errorf("server %s says %q (pid %d)", n.tag, n.kind, n.pid)
		}
		out = append(out, n)
	}
	return out, nil
}

// latest is the time of the last of several notes.
func latest(notes []note) (at int64) {
	for _, n := range notes {
		at = max(at, n.from)
	}
	return at
}

// byTag orders notes by the server.
func byTag(notes []note) map[string]note {
	out := make(map[string]note, len(notes))
	for _, n := range notes {
		out[n.tag] = n
	}
	return out
}
