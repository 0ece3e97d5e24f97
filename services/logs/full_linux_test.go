package logs

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts one of 4 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if os.Getuid() != 0 || syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m") != nil {
		t.Skip("needs to mount a small file system")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestARunBeginsAlsoOnAFullDisk(t *testing.T) {
	b := newBench(t, smallDisk(t))
	f := b.begin("api", 1<<30)
	block := bytes.Repeat([]byte("x"), 4096)
	var err error
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	b.begin("api", 1<<30)
}

func TestAFullDiskIsFreedAndWrittenToAgain(t *testing.T) {
	dir := smallDisk(t)
	b := newBench(t, dir)
	f := b.begin("api", 1<<20)
	l, err := b.store.log("api")
	if err != nil {
		t.Fatal(err)
	}
	flood(t, f, 0, 1000)
	l.refresh(time.Now())
	l.mu.Lock()
	l.reserve()
	l.unlock()
	n := 1000
	for ; err == nil; n++ {
		_, err = f.WriteString(numbered(n))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	l.refresh(time.Now())
	l.retain(0)
	if got := usage(t, b.path("api.log")); got > 1<<20 {
		t.Fatalf("%d bytes are left on the full disk", got)
	}
	write(t, f, "\n")
	flood(t, f, n, 100)
	b.reopen()
	got := b.read("api", Query{Tail: 100})
	for i, line := range got {
		if checkNumbered(t, line) != n+i {
			t.Fatalf("line %d is %.12q", i, line.Text)
		}
	}
	first := b.read("api", Query{Tail: -1})[0]
	if want := int64(checkNumbered(t, first)) * 120; first.Address != (Address{1, want}) {
		t.Errorf("the first line is at %v, want %d", first.Address, want)
	}
}
