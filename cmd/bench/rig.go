//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tend/services"
	"tend/services/remote"
)

// rig is a manager with a directory, a bell and a configuration of its own.
// One figure uses it at a time.
type rig struct {
	*bench
	bell    *bell
	dir     string
	config  string // path of tend.yaml
	listen  string // address of the dashboard
	servers int
	stderr  *os.File
	manager *child // nil while there is none
	api     *remote.Client
}

// served is a server for a rig to configure.
type served struct {
	name string
	argv []string
	rest string // more keys, as they are between braces, each with a comma before it
}

// newRig writes the configuration, with lines at its head. Nothing runs until
// serve.
func (b *bench) newRig(servers func(bell *bell) []served, head ...string) (_ *rig, err error) {
	r := &rig{bench: b}
	if r.dir, err = os.MkdirTemp(b.dir, "rig-"); err != nil {
		return nil, err
	}
	if r.bell, err = newBell(r.dir); err != nil {
		return nil, err
	}
	ports, err := b.ports.free(1)
	if err != nil {
		return nil, err
	}
	r.listen = "127.0.0.1:" + strconv.Itoa(ports[0])
	list := servers(r.bell)
	r.servers = len(list)
	var text strings.Builder
	fmt.Fprintf(&text, "listen: %s\n%sservers:\n", r.listen, strings.Join(head, ""))
	for _, s := range list {
		fmt.Fprintf(&text, "  %s: {command: [%s]%s}\n", s.name, quoted(s.argv), s.rest)
	}
	r.config = filepath.Join(r.dir, "tend.yaml")
	if err := os.WriteFile(r.config, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	if r.stderr, err = os.OpenFile(filepath.Join(r.dir, "stderr"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600); err != nil {
		return nil, err
	}
	socket, err := remote.SocketPath(r.data())
	if err != nil {
		return nil, err
	}
	r.api = remote.New(socket)
	return r, nil
}

func (r *rig) data() string { return filepath.Join(r.dir, ".tend") }

func quoted(argv []string) string {
	out := make([]string, len(argv))
	for i, arg := range argv {
		out[i] = strconv.Quote(arg)
	}
	return strings.Join(out, ", ")
}

// serve starts the manager and returns when it says that it is ready.
func (r *rig) serve(ctx context.Context) (err error) {
	notify := filepath.Join(r.dir, "notify")
	os.Remove(notify) //nolint:errcheck // of the manager before
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer socket.Close()
	r.manager, err = r.nursery.start(command{
		argv:  []string{r.tend, "serve", "--config", r.config},
		env:   []string{"NOTIFY_SOCKET=" + notify},
		files: [3]*os.File{nil, r.stderr, r.stderr},
	})
	if err != nil {
		return err
	}
	over := make(chan struct{})
	defer close(over)
	go func() { // ends with this call, and ends its reading early
		select {
		case <-r.manager.done:
		case <-ctx.Done():
		case <-time.After(patience):
		case <-over:
		}
		socket.Close() //nolint:errcheck // only its end is of interest
	}()
	text := make([]byte, 4096)
	for {
		n, err := socket.Read(text)
		if err != nil {
			return r.trouble(errors.New("the manager does not get ready"))
		}
		if strings.Contains(string(text[:n]), "READY=1") {
			return nil
		}
	}
}

// trouble adds what the manager said to an error.
func (r *rig) trouble(err error) error {
	text, _ := os.ReadFile(r.stderr.Name())
	return fmt.Errorf("%w; it said: %s", err, text[max(0, len(text)-2000):])
}

// running waits until the manager says of all its servers that they run.
func (r *rig) running(ctx context.Context) ([]services.Status, error) {
	return r.until(ctx, "all servers run", func(s services.Status) bool { return s.Phase == services.Running })
}

// until waits until something holds for every server.
func (r *rig) until(ctx context.Context, what string, holds func(services.Status) bool) ([]services.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last services.Status
	for {
		list, err := r.api.List(ctx)
		if err != nil {
			return nil, r.trouble(err)
		}
		count := 0
		for _, s := range list {
			if holds(s) {
				count++
			} else {
				last = s
			}
		}
		if count == r.servers {
			return list, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, r.trouble(fmt.Errorf("%s: that is true of %d of %d, and %s is %s: %s",
				what, count, r.servers, last.Name, last.Phase, last.Why))
		}
	}
}

// crash kills the manager as nothing else can.
func (r *rig) crash() { r.manager.kill() }

// stop ends the manager with its servers.
func (r *rig) stop(ctx context.Context) error {
	syscall.Kill(r.manager.pid, syscall.SIGTERM) //nolint:errcheck // it may have ended
	err := r.manager.wait(ctx, patience)
	if err == nil && r.manager.exit.ExitStatus() != 0 {
		err = r.trouble(fmt.Errorf("the manager exits with %d", r.manager.exit.ExitStatus()))
	}
	return err
}

// close ends and removes whatever there is of the rig, also after an error.
func (r *rig) close() {
	if r.manager != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		select {
		case <-r.manager.done:
		default:
			r.stop(ctx) //nolint:errcheck // the error that led here is the one to tell
		}
	}
	r.api.Close()
	r.bell.close()
	r.stderr.Close()
	endCgroups(r.data())
	os.RemoveAll(r.dir) //nolint:errcheck // its parent is removed at the end
}
