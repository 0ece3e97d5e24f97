package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tend/services"
)

func TestATruncationByTheServerBeginsAnotherGeneration(t *testing.T) {
	b := newBench(t, t.TempDir())
	b.keep()
	f := b.begin("api", 1<<20)
	write(t, f, strings.Repeat("old line\n", 100))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var after []Line
	n := 0
	for line, err := range b.store.Read(ctx, "api", Query{Tail: -1, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 100 {
			// What a shell does with echo x > /dev/stderr.
			cmd := exec.Command("/bin/sh", "-c", "echo x > /dev/stderr; echo y >&2")
			cmd.Stderr = f
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
		}
		if n > 100 {
			if after = append(after, line); len(after) == 2 {
				break
			}
		}
	}
	if texts(after) != "x|y" || after[0].Address != (Address{2, 0}) {
		t.Errorf("after the truncation: %q at %v", texts(after), after)
	}
	if m := b.messages(); !strings.Contains(m, "truncated") || strings.Contains(m, "\n") {
		t.Errorf("events: %q", m)
	}
	if got := texts(b.read("api", Query{Tail: -1, After: Address{1, 90}})); got != "x|y" {
		t.Errorf("from an address that is gone: %q", got)
	}
}

func TestATruncationIsNoticedThoughTheFileGrewAgain(t *testing.T) {
	for _, alive := range []bool{true, false} {
		t.Run(fmt.Sprint("manager alive ", alive), func(t *testing.T) {
			b := newBench(t, t.TempDir())
			f := b.begin("api", 1<<20)
			write(t, f, strings.Repeat("old line\n", 100))
			b.read("api", Query{Tail: 1})
			if err := os.Truncate(b.path("api.log"), 0); err != nil {
				t.Fatal(err)
			}
			if !alive {
				b.reopen()
			}
			write(t, f, strings.Repeat("new line\n", 200))
			got := b.read("api", Query{Tail: -1})
			if len(got) != 200 || got[0].Address != (Address{2, 0}) || string(got[0].Text) != "new line" {
				t.Errorf("%d lines from %v", len(got), got[0].Address)
			}
			if m := b.messages(); !strings.Contains(m, "truncated") {
				t.Errorf("events: %q", m)
			}
		})
	}
}

func TestALogFileThatIsDeletedOrMovedAwayIsNoticed(t *testing.T) {
	for _, how := range []string{"deleted", "moved", "replaced"} {
		t.Run(how, func(t *testing.T) {
			b := newBench(t, t.TempDir())
			b.keep()
			f := b.begin("api", 64<<10)
			write(t, f, "one\n")
			b.read("api", Query{Tail: 1})
			var err error
			if how == "moved" {
				err = os.Rename(b.path("api.log"), b.path("api.bak"))
			} else {
				err = os.Remove(b.path("api.log"))
			}
			if how == "replaced" {
				err = errors.Join(err, os.WriteFile(b.path("api.log"), []byte("strange\n"), 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
			write(t, f, "three\n")
			until(t, "an event says so", func() bool { return strings.Contains(b.messages(), "deleted or moved") })
			if got := texts(b.read("api", Query{Tail: 1})); got != "three" {
				t.Errorf("what the server writes now: %q", got)
			}
			f = b.begin("api", 64<<10)
			write(t, f, "four\n")
			got := b.read("api", Query{Tail: -1})
			want := "four"
			if how == "replaced" {
				want = "strange|four"
			}
			if texts(got) != want || got[0].Address != (Address{2, 0}) {
				t.Errorf("the next run: %q at %v, want %q", texts(got), got[0].Address, want)
			}
			if m := b.messages(); strings.Contains(m, "\n") {
				t.Errorf("told more than once: %s", m)
			}
		})
	}
}

func TestWhatWasMovedAwayIsLeftAlone(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 64<<10)
	flood(t, f, 0, 10)
	if err := os.Rename(b.path("api.log"), b.path("mine")); err != nil {
		t.Fatal(err)
	}
	flood(t, f, 10, 2000)
	l, err := b.store.log("api")
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.misplaced()
	l.unlock()
	keepOnce(t, b, "api")
	if got := usage(t, b.path("mine")); got < 2010*120 {
		t.Errorf("%d bytes are left of what somebody moved away", got)
	}
}

// TestDamagedRecordsCostAddressesButNoLine cuts the sidecar and the index of
// times at every byte, fills them with rubbish, and deletes them.
func TestDamagedRecordsCostAddressesButNoLine(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 64<<10)
	flood(t, f, 0, 2000)
	keepOnce(t, b, "api")
	want := b.read("api", Query{Tail: -1})
	for _, file := range []string{"api.log.meta", "api.log.times"} {
		whole, err := os.ReadFile(b.path(file))
		if err != nil {
			t.Fatal(err)
		}
		meta, err := os.ReadFile(b.path("api.log.meta"))
		if err != nil {
			t.Fatal(err)
		}
		times, err := os.ReadFile(b.path("api.log.times"))
		if err != nil {
			t.Fatal(err)
		}
		for n := -2; n <= len(whole); n++ {
			errs := []error{os.WriteFile(b.path("api.log.meta"), meta, 0o600), os.WriteFile(b.path("api.log.times"), times, 0o600)}
			switch n {
			case -2:
				errs = append(errs, os.Remove(b.path(file)))
			case -1:
				errs = append(errs, os.WriteFile(b.path(file), []byte(strings.Repeat("\xff{}", 999)), 0o600))
			default:
				errs = append(errs, os.WriteFile(b.path(file), whole[:n], 0o600))
			}
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			b.reopen()
			got := b.read("api", Query{Tail: -1})
			// Without a record nobody knows that the head is torn: it is shown as it is.
			if len(got) < len(want) || checkNumbered(t, got[len(got)-1]) != 1999 {
				t.Fatalf("%s cut at %d: %d lines of %d are left", file, n, len(got), len(want))
			}
			if n == len(whole) && got[0].Address != want[0].Address {
				t.Fatalf("%s is whole, and the first line is at %v instead of %v", file, got[0].Address, want[0].Address)
			}
			for i, line := range got[1:] {
				if checkNumbered(t, line) != 2001-len(got)+i {
					t.Fatalf("%s cut at %d: line %d", file, n, i)
				}
			}
		}
	}
}

func TestASidecarThatCannotBeWrittenOverIsReplaced(t *testing.T) {
	c := sidecar{segment: segment{Gen: 3, Base: 4096, Start: 8192}}
	for name, spoil := range map[string]func(path, other string) error{
		"absent": func(path, _ string) error { return nil },
		"empty":  func(path, _ string) error { return os.WriteFile(path, nil, 0o600) },
		"short":  func(path, _ string) error { return os.WriteFile(path, []byte(`{"gen":1}`), 0o600) },
		"long":   func(path, _ string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 3*sidecarSize), 0o600) },
		"a link": func(path, other string) error { return os.Symlink(other, path) },
		// Others than root may not write to it; its directory is theirs.
		"unwritable": func(path, _ string) error { return os.WriteFile(path, []byte(`{"gen":1}`), 0o400) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, other := filepath.Join(dir, "api.log.meta"), filepath.Join(dir, "other")
			if err := errors.Join(os.WriteFile(other, []byte("precious"), 0o600), spoil(path, other)); err != nil {
				t.Fatal(err)
			}
			if err := c.save(path); err != nil {
				t.Fatal(err)
			}
			if got, found, err := loadSidecar(path); err != nil || !found || got.segment != c.segment {
				t.Errorf("read back: %+v, %v, %v", got, found, err)
			}
			if text, err := os.ReadFile(other); err != nil || string(text) != "precious" {
				t.Errorf("the other file holds %q: %v", text, err)
			}
		})
	}
}

func TestANearlyFullDiskFreesTheOldestLogsFirst(t *testing.T) {
	free := uint64(1 << 30)
	b := newBench(t, t.TempDir(), func(o *Options) {
		o.free = func(string) (uint64, uint64, error) { return free, 100 << 30, nil }
	})
	d := &disk{store: b.store}
	old, young := b.begin("old", 64<<20), b.begin("young", 64<<20)
	flood(t, old, 0, 20_000)
	flood(t, young, 0, 20_000)
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(b.path("old.log"), past, past); err != nil {
		t.Fatal(err)
	}
	b.read("old", Query{Tail: 1})
	b.read("young", Query{Tail: 1})
	d.check()
	if m := b.messages(); m != "" {
		t.Fatalf("with enough space: %s", m)
	}
	free = 60 << 20
	b.store.options.free = func(string) (uint64, uint64, error) {
		if usage(t, b.path("old.log")) < 1<<20 {
			return 200 << 20, 100 << 30, nil
		}
		return free, 100 << 30, nil
	}
	d.check()
	if got := usage(t, b.path("old.log")); got > floor+16<<10 {
		t.Errorf("the oldest log keeps %d bytes", got)
	}
	if got := b.read("old", Query{Tail: 1}); checkNumbered(t, got[0]) != 19_999 {
		t.Errorf("last line %q", got[0].Text)
	}
	if got := len(b.read("young", Query{Tail: -1})); got != 20_000 {
		t.Errorf("the young log, which was not needed, has %d lines", got)
	}
	if m := b.messages(); !strings.Contains(m, "nearly full") || !strings.Contains(m, "old") {
		t.Errorf("events: %q", m)
	}
}

func TestBeginSaysWhatStandsInTheWay(t *testing.T) {
	b := newBench(t, t.TempDir())
	if err := os.Mkdir(b.path("api.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := b.store.Begin("api", services.LogPolicy{})
	if services.KindOf(err) != services.Invalid || !strings.Contains(err.Error(), "not a plain file") {
		t.Errorf("a directory: %v", err)
	}
	_, err = b.store.Begin("../api", services.LogPolicy{})
	if services.KindOf(err) != services.Invalid {
		t.Errorf("a path: %v", err)
	}
	for _, err := range b.store.Read(t.Context(), "../etc/passwd", Query{Tail: -1}) {
		if services.KindOf(err) != services.Invalid {
			t.Errorf("reading a path: %v", err)
		}
	}
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	write(t, b.begin("web", 0), "hello\n")
	if got := texts(b.read("web", Query{Tail: -1})); got != "hello" {
		t.Errorf("in a directory that was made again: %q", got)
	}
	b.store.Attach("ghost", services.LogPolicy{})
	if got := b.read("ghost", Query{Tail: -1}); len(got) != 0 {
		t.Errorf("a server that never wrote: %q", texts(got))
	}
}

func TestAddressesAreReadAsTheyAreWritten(t *testing.T) {
	want := Address{3, 1 << 50}
	if got, err := ParseAddress(want.String()); err != nil || got != want {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "1", "1.", ".1", "1.-1", "-1.1", "1.2.3", "1.99999999999999999999", "a.b"} {
		if _, err := ParseAddress(bad); services.KindOf(err) != services.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
