package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"tend/services/remote"
	"tend/services/state"
)

// estateVariable tells a program that has taken the place of another manager,
// in the same process, what that one has left open.
const estateVariable = "TEND_ESTATE"

// estate is what a manager hands over to the program that takes its place: the
// lock of the data directory and the listeners, with whoever waits in them.
// Children need no handing over: they stay with the process.
type estate struct {
	PID    int    `json:"pid"`    // of both: in any other process it means nothing
	Listen string `json:"listen"` // as it was configured
	Lock   int    `json:"lock"`
	TCP    int    `json:"tcp"`
	Socket int    `json:"socket"`

	files []*os.File // that are handed over
}

// newEstate holds open what is handed over, so that the manager can end as it
// always does.
func newEstate(listen string, lock *state.Lock, tcp *net.TCPListener, socket *remote.Socket) (*estate, error) {
	door, err := tcp.File()
	if err != nil {
		return nil, fmt.Errorf("hold the dashboard's address: %w", err)
	}
	local, err := socket.File()
	if err != nil {
		door.Close()
		return nil, fmt.Errorf("hold the socket: %w", err)
	}
	socket.Stay()
	return &estate{PID: os.Getpid(), Listen: listen, files: []*os.File{lock.File(), door, local}}, nil
}

// leave lets the next program have the files, and returns the variable that
// tells it of them. Nothing may be started any more: it would have them, too.
func (e *estate) leave() (string, error) {
	for i, to := range []*int{&e.Lock, &e.TCP, &e.Socket} {
		raw, err := e.files[i].SyscallConn()
		if err != nil {
			return "", err
		}
		// Not Fd, which makes whoever accepts there block.
		if controlErr := raw.Control(func(fd uintptr) {
			*to = int(fd)
			_, err = unix.FcntlInt(fd, unix.F_SETFD, 0)
		}); controlErr != nil {
			err = controlErr
		}
		if err != nil {
			return "", fmt.Errorf("hand over %s: %w", e.files[i].Name(), err)
		}
	}
	text, err := json.Marshal(e)
	return estateVariable + "=" + string(text), err
}

// inherited returns what the program has left that this process was before, nil
// for nothing.
func inherited() *estate {
	text := os.Getenv(estateVariable)
	os.Unsetenv(estateVariable) //nolint:errcheck // it was there
	var e estate
	if json.Unmarshal([]byte(text), &e) != nil || e.PID != os.Getpid() {
		return nil
	}
	for _, fd := range []int{e.Lock, e.TCP, e.Socket} {
		unix.CloseOnExec(fd)
		e.files = append(e.files, os.NewFile(uintptr(fd), estateVariable))
	}
	return &e
}

// lock returns the lock, if it is that of a data directory.
func (e *estate) lock(dir string) (*state.Lock, bool) {
	if e == nil {
		return nil, false
	}
	return state.KeepLock(dir, e.files[0])
}

// tcp returns the dashboard's listener, if it is the one that is wanted.
func (e *estate) tcp(listen string) (*net.TCPListener, error) {
	if e == nil || e.Listen != listen {
		return nil, fs.ErrNotExist
	}
	l, err := net.FileListener(e.files[1])
	if err != nil {
		return nil, err
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, errors.Join(fs.ErrInvalid, l.Close())
	}
	return tcp, nil
}

// socket returns the manager's socket.
func (e *estate) socket(path string) (*remote.Socket, error) {
	if e == nil {
		return nil, fs.ErrNotExist
	}
	l, err := net.FileListener(e.files[2])
	if err != nil {
		return nil, err
	}
	local, ok := l.(*net.UnixListener)
	if !ok {
		return nil, errors.Join(fs.ErrInvalid, l.Close())
	}
	return remote.Keep(local, path)
}

// settle closes what has been copied, or was not wanted. The lock is kept by
// whoever took it.
func (e *estate) settle() {
	if e == nil {
		return
	}
	for _, file := range e.files[1:] {
		file.Close()
	}
}
