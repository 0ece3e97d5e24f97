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
	"sync/atomic"
	"syscall"
	"time"

	"tend/services"
)

// longestPath is what every system accepts as the name of a unix socket.
const longestPath = 100

// SocketPath returns where the manager of a data directory listens: tend.sock
// in it or, where that name would be too long, a short one that both sides
// derive from it, in the owner's runtime directory or in /tmp/tend-<uid>.
// Invalid where even that is too long.
func SocketPath(data string) (string, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	if path := filepath.Join(data, "tend.sock"); len(path) <= longestPath {
		return path, nil
	}
	if real, err := filepath.EvalSymlinks(data); err == nil {
		data = real // two ways to one directory lead to one socket
	}
	sum := sha256.Sum256([]byte(data))
	name := "tend-" + hex.EncodeToString(sum[:8]) + ".sock"
	return elsewhere(name, runtimeDirs(data))
}

// elsewhere returns the socket that exists, or where it is to be made. The
// environment of a manager, started by systemd say, need not be that of the
// shell that looks for it, so every directory is looked at.
func elsewhere(name string, dirs []string) (string, error) {
	first := ""
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if len(path) > longestPath {
			continue
		}
		if first == "" {
			first = path
		}
		if _, err := os.Lstat(path); err == nil && checkDir(dir) == nil {
			return path, nil
		}
	}
	if first == "" {
		return "", services.Errorf(services.Invalid, "the data directory's path is too long for a socket, and so is $XDG_RUNTIME_DIR: choose a shorter one with data: or --data")
	}
	return first, nil
}

// runtimeDirs lists where the sockets of a data directory's owner can be.
func runtimeDirs(data string) []string {
	uid := os.Geteuid()
	if info, err := os.Stat(data); err == nil {
		if owner, ok := ownerOf(info); ok {
			uid = owner
		}
	}
	var dirs []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && checkDir(dir) == nil {
		dirs = append(dirs, dir)
	}
	return append(dirs, fmt.Sprintf("/tmp/tend-%d", uid))
}

// checkDir refuses a directory in which somebody else could put a socket.
func checkDir(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("look at the directory of the socket: %w", err)
	}
	owner, known := ownerOf(info) // of the link, if it is one: who made it decides where it leads
	if info.Mode().Type() == fs.ModeSymlink {
		if info, err = os.Stat(dir); err != nil {
			return fmt.Errorf("look at the directory of the socket: %w", err)
		}
	}
	switch {
	case !info.IsDir():
		return services.Errorf(services.Conflict, "%s is not a directory: remove it", dir)
	case known && owner != os.Geteuid() && owner != 0 && os.Geteuid() != 0:
		return services.Errorf(services.Conflict, "%s belongs to another user: choose another data directory with data: or --data", dir)
	case info.Mode().Perm()&0o002 != 0:
		return services.Errorf(services.Conflict, "everybody can write to %s: chmod o-w %s", dir, dir)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (uid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// Listen makes the manager's socket, for its owner only, and takes the place
// of one that nobody answers any more. Conflict where somebody does.
func Listen(path string) (*Socket, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of the socket: %w", err)
	}
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// Made under another name and narrowed before anybody can find it.
	temporary := path + "~"
	os.Remove(temporary) //nolint:errcheck // if it stays, listening says why
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
		os.Remove(temporary) //nolint:errcheck // the other error counts
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	made, err := os.Lstat(path)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("make the socket: %w", err)
	}
	return &Socket{UnixListener: l, path: path, made: made}, nil
}

// Keep makes the manager's socket of a listener that was handed over, by the
// program that this process was before.
func Keep(l *net.UnixListener, path string) (*Socket, error) {
	l.SetUnlinkOnClose(false)
	made, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("keep the socket: %w", err)
	}
	return &Socket{UnixListener: l, path: path, made: made}, nil
}

// removeStale makes room for a socket. It removes nothing but sockets that
// nobody answers.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at the old socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return services.Errorf(services.Conflict, "%s is not a socket: remove it, the manager's socket belongs there", path)
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return services.Errorf(services.Conflict, "another manager answers at %s", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the old socket: %w", err)
	}
	return nil
}

// Socket is the manager's end of its unix socket. It removes its file when it is
// closed, unless it is to stay, or somebody else's is there by now.
type Socket struct {
	*net.UnixListener
	path string
	made fs.FileInfo
	stay atomic.Bool
}

// Stay has Close leave the file: somebody goes on to listen there.
func (s *Socket) Stay() { s.stay.Store(true) }

// Close implements net.Listener.
func (s *Socket) Close() error {
	if now, err := os.Lstat(s.path); err == nil && !s.stay.Load() && os.SameFile(now, s.made) {
		os.Remove(s.path) //nolint:errcheck // the next manager removes it
	}
	return s.UnixListener.Close()
}
