package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestASecondManagerIsRefusedAndToldWhoHoldsTheDirectory(t *testing.T) {
	dir := t.TempDir()
	lock, err := TakeLock(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	for _, wait := range []time.Duration{0, -time.Second, 30 * time.Millisecond} {
		began := time.Now()
		_, err := TakeLock(dir, wait)
		if services.KindOf(err) != services.Conflict {
			t.Fatalf("the second manager gets %v", err)
		}
		wantSentence(t, err.Error(), dir, fmt.Sprintf("another tend (pid %d)", os.Getpid()))
		if waited := time.Since(began); waited < wait {
			t.Errorf("waited %v of %v", waited, wait)
		}
	}
}

func TestALockIsFreeAfterReleaseAndReleaseMayBeRepeated(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		lock, err := TakeLock(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		lock.Release()
		lock.Release()
	}
	if content, err := os.ReadFile(filepath.Join(dir, "lock")); err != nil || len(content) != 0 {
		t.Errorf("the lock file holds %q, %v", content, err)
	}
}

func TestAManagerThatEndsHandsTheLockToTheOneThatWaits(t *testing.T) {
	dir := t.TempDir()
	lock, err := TakeLock(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		next, err := TakeLock(dir, time.Minute)
		if err == nil {
			next.Release()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(3 * lockPace):
	}
	lock.Release()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// TestAChildThatHasNotExecutedYetHoldsTheLock plays the child that was forked
// just before its manager was killed: it shares the open file.
func TestAChildThatHasNotExecutedYetHoldsTheLock(t *testing.T) {
	dir := t.TempDir()
	lock, err := TakeLock(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("cat")
	child.ExtraFiles = []*os.File{lock.file} // its copy stays open in the child
	hold, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	sign(lock.file, fmt.Sprintln(dead.Process.Pid)) // the manager that was killed
	lock.file.Close()
	_, err = TakeLock(dir, 20*time.Millisecond)
	if services.KindOf(err) != services.Conflict {
		t.Fatalf("while the child lives: %v", err)
	}
	wantSentence(t, err.Error(), dir, fmt.Sprintf("(pid %d) has ended", dead.Process.Pid), "still holds")
	go hold.Close()
	next, err := TakeLock(dir, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	next.Release()
	child.Wait() //nolint:errcheck // it only had to live
}

func TestNoServerInheritsTheLock(t *testing.T) {
	lock, err := TakeLock(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, lock.file.Fd(), syscall.F_GETFD, 0)
	if errno != 0 || flags&syscall.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v", flags, errno)
	}
}

func TestALockFileWithRubbishIsStillALock(t *testing.T) {
	for _, content := range []string{"", "rubbish", "-7", "0", strings.Repeat("9", 1000)} {
		dir := t.TempDir()
		lock, err := TakeLock(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		put(t, dir, "lock", content)
		_, err = TakeLock(dir, 0)
		if services.KindOf(err) != services.Conflict {
			t.Errorf("%.10q: %v", content, err)
		} else {
			wantSentence(t, err.Error(), "is in use by another tend")
		}
		lock.Release()
	}
}

func TestALockNeedsItsDirectory(t *testing.T) {
	if _, err := TakeLock(filepath.Join(t.TempDir(), "no"), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
