package process

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

func TestABufferThatIsFullOfEntriesIsReadToItsEnd(t *testing.T) {
	dir := t.TempDir()
	const many = 1500 // entries of 24 bytes, more than twice the buffer
	want := make([]int, many)
	for i := range want {
		want[i] = 10000 + i
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(want[i])), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "no number"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := newReader()
	r.in(filepath.Dir(dir), filepath.Base(dir))
	got, err := r.pids(nil)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d of %d numbers were read: %v", len(got), many, err)
	}
}
