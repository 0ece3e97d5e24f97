package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"tend/services"
)

// longestPath is what every system accepts as the name of a unix socket.
const longestPath = 100

// SocketPath returns where the manager of a data directory listens: tend.sock
// in it or, where that name would be too long, a short one in the user's
// runtime directory that both sides derive from it.
func SocketPath(data string) (string, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return "", err
	}
	path := filepath.Join(data, "tend.sock")
	if len(path) <= longestPath {
		return path, nil
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("tend-%d", os.Getuid()))
	}
	sum := sha256.Sum256([]byte(data))
	path = filepath.Join(dir, "tend-"+hex.EncodeToString(sum[:8])+".sock")
	if len(path) > longestPath {
		return "", services.Errorf(services.Invalid, "the data directory %s is too long for a socket: choose a shorter one with data: or --data", data)
	}
	return path, nil
}

// Listen makes the manager's socket, for its owner only, and takes the place
// of one that nobody answers any more.
func Listen(path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the socket: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && int(owner.Uid) != os.Geteuid() && owner.Uid != 0 {
		return nil, services.Errorf(services.Conflict, "%s belongs to another user: set XDG_RUNTIME_DIR, or choose a shorter data directory", dir)
	}
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		conn.Close()
		return nil, services.Errorf(services.Conflict, "another manager answers at %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	// Made under another name and narrowed before anybody can find it.
	temporary := path + "~"
	os.Remove(temporary)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: temporary, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(temporary, 0o600); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	return &socket{l, path}, nil
}

// socket removes its file when it is closed.
type socket struct {
	net.Listener
	path string
}

func (s *socket) Close() error {
	os.Remove(s.path)
	return s.Listener.Close()
}
