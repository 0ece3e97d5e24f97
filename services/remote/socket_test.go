package remote_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tend/services"
	"tend/services/remote"
)

func TestTheSocketIsInTheDataDirectoryWhereItsNameIsShort(t *testing.T) {
	got, err := remote.SocketPath("/srv/app/.tend")
	if want := "/srv/app/.tend/tend.sock"; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

// long is a data directory whose socket would have too long a name.
func long(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "tend-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestTheSocketOfALongDataDirectoryIsFoundFromEveryEnvironment(t *testing.T) {
	data, other := long(t), long(t)
	t.Setenv("XDG_RUNTIME_DIR", "")
	without, err := remote.SocketPath(data)
	if err != nil || len(without) > 100 || !strings.HasPrefix(without, "/tmp/tend-") {
		t.Fatalf("got %s, %v", without, err)
	}
	if elsewhere, _ := remote.SocketPath(other); elsewhere == without {
		t.Error("two data directories have one socket")
	}
	run := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", run)
	with, err := remote.SocketPath(data)
	if err != nil || filepath.Dir(with) != run {
		t.Fatalf("got %s, %v, want it in %s", with, err, run)
	}
	t.Setenv("XDG_RUNTIME_DIR", "")
	l, err := remote.Listen(without) // a manager that was started without the variable
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("XDG_RUNTIME_DIR", run)
	if got, err := remote.SocketPath(data); got != without || err != nil {
		t.Errorf("a client with the variable looks at %s, %v; the manager listens at %s", got, err, without)
	}
}

func TestASocketIsForItsOwnerOnlyAndLeavesNothingBehind(t *testing.T) {
	path := socketIn(t)
	l, err := remote.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	l.Close()
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("left %v behind", entries)
	}
}

func TestAStaleSocketIsReplacedAndALiveOneIsNot(t *testing.T) {
	path := socketIn(t)
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	first, err := remote.Listen(path)
	if err != nil {
		t.Fatalf("over a stale socket: %v", err)
	}
	defer first.Close()
	if _, err := remote.Listen(path); services.KindOf(err) != services.Conflict {
		t.Errorf("over a live socket: %v", err)
	}
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the live socket is gone: %v", err)
	} else {
		conn.Close()
	}
}

func TestClosingLeavesTheSocketOfASuccessorAlone(t *testing.T) {
	path := socketIn(t)
	first, err := remote.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(path)
	second, err := remote.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Close()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the successor's socket is gone: %v", err)
	}
}

func TestWhatIsNoSocketIsNotRemoved(t *testing.T) {
	path := socketIn(t)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Listen(path); services.KindOf(err) != services.Conflict {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Error("the file is gone")
	}
}

func TestADirectoryThatEverybodyCanWriteToIsRefused(t *testing.T) {
	path := socketIn(t)
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Listen(path); services.KindOf(err) != services.Conflict || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("got %v", err)
	}
}
