package state

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// usedAt is used at a path of its own, opened once so that its place is known.
func usedAt(t *testing.T, dir string) (instance string) {
	t.Helper()
	if err := os.Rename(used(t), dir); err != nil {
		t.Fatal(err)
	}
	return open(t, dir).got.Instance
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func TestACopyOfADirectoryIsAnotherInstanceWithoutTheRuns(t *testing.T) {
	original, dup := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	id := usedAt(t, original)
	copyDir(t, original, dup)

	h := open(t, dup)
	if h.got.Instance == id {
		t.Error("the copy has the id of the original: it would take its servers")
	}
	if !strings.Contains(h.got.Damage, "is a copy of "+original) {
		t.Errorf("damage %q does not name the original", h.got.Damage)
	}
	kept := fixture()
	kept[0].Run = nil
	wantRecords(t, h.got.Records, kept)
	again := open(t, dup)
	if again.got.Instance != h.got.Instance || again.got.Damage != "" {
		t.Errorf("the next start: instance %s after %s, damage %q", again.got.Instance, h.got.Instance, again.got.Damage)
	}
	if back := open(t, original); back.got.Instance != id || back.got.Damage != "" {
		t.Errorf("the original: instance %s, was %s, damage %q", back.got.Instance, id, back.got.Damage)
	}
}

func TestADirectoryThatWasMovedKeepsItsInstanceAndRuns(t *testing.T) {
	base := t.TempDir()
	from, to := filepath.Join(base, "a"), filepath.Join(base, "b")
	id := usedAt(t, from)
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	// Something else has taken the old place.
	if err := os.Mkdir(from, 0o700); err != nil {
		t.Fatal(err)
	}
	h := open(t, to)
	if h.got.Instance != id || h.got.Damage != "" || h.got.Records[0].Run == nil {
		t.Errorf("instance %s, was %s; damage %q; run %v", h.got.Instance, id, h.got.Damage, h.got.Records[0].Run)
	}
	// And from its new place it is an original again.
	dup := filepath.Join(base, "c")
	copyDir(t, to, dup)
	if c := open(t, dup); c.got.Instance == id {
		t.Error("a copy of the moved directory has its id")
	}
}

func TestACopyWhoseOriginalIsGoneIsTheInstance(t *testing.T) {
	base := t.TempDir()
	from, to := filepath.Join(base, "a"), filepath.Join(base, "b")
	id := usedAt(t, from)
	copyDir(t, from, to)
	if err := os.RemoveAll(from); err != nil {
		t.Fatal(err)
	}
	if h := open(t, to); h.got.Instance != id || h.got.Damage != "" {
		t.Errorf("instance %s, was %s, damage %q: a restored backup is no copy", h.got.Instance, id, h.got.Damage)
	}
}

func TestAnInstanceFileWithoutAPlaceIsCompletedQuietly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	id := usedAt(t, dir)
	file := filepath.Join(dir, "instance")
	if err := os.WriteFile(file, []byte(id+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if h := open(t, dir); h.got.Instance != id || h.got.Damage != "" {
		t.Errorf("instance %s, was %s, damage %q", h.got.Instance, id, h.got.Damage)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if i, ok := parseInstance(content); !ok || !i.place.is(placeOf(dir)) {
		t.Errorf("the file holds %q", content)
	}
}
