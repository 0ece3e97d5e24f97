package logs

import (
	"bytes"
	"os"
	"testing"

	"tend/services"
)

func TestWhoeverOnlyReadsALogTakesNothingAway(t *testing.T) {
	dir := t.TempDir()
	b := newBench(t, dir)
	const size = 3 * defaultLimit
	line := append(bytes.Repeat([]byte("x"), 1<<20-1), '\n')
	f, err := os.Create(b.path("api.log"))
	if err != nil {
		t.Fatal(err)
	}
	for range size / len(line) {
		if _, err := f.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	b.read("api", Query{Tail: 3})
	b.store.Attach("api", services.LogPolicy{}) // nobody configures it any more
	l, err := b.store.log("api")
	if err != nil {
		t.Fatal(err)
	}
	l.retain(0)
	if got := usage(t, b.path("api.log")); got < size {
		t.Errorf("%d of %d bytes are left", got, size)
	}
	b.begin("api", defaultLimit)
	l.retain(0)
	if got := usage(t, b.path("api.log")); got > defaultLimit {
		t.Errorf("%d bytes are left, with a limit of %d", got, int64(defaultLimit))
	}
}
