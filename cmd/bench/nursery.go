//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds whatever is waited for.
const patience = 60 * time.Second

// nursery starts processes and buries them, its own and those that they leave
// behind: the bench is what init is to them. Its goroutine reaps; nobody else
// in this program may wait for a process.
type nursery struct {
	started chan struct{} // cap 1: there is somebody to wait for
	buried  chan struct{} // cap 1: somebody has ended
	ending  chan struct{} // closed by close
	reaped  chan struct{} // closed when the reaper has ended

	mu       sync.Mutex // guards what follows, and is held from a fork until the child is entered
	children map[int]*child
}

// child is a process that the nursery has started.
type child struct {
	pid  int
	name string
	done chan struct{} // closed when it has ended
	exit syscall.WaitStatus
}

func newNursery() (*nursery, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become the reaper of orphans: %w", err)
	}
	n := &nursery{
		started: make(chan struct{}, 1), buried: make(chan struct{}, 1),
		ending: make(chan struct{}), reaped: make(chan struct{}), children: make(map[int]*child),
	}
	go n.reap()
	return n, nil
}

// command is what the nursery starts.
type command struct {
	argv  []string
	env   []string // added to our own
	files [3]*os.File
	group bool // of its own, whose id is its pid; otherwise a session
}

func (n *nursery) start(c command) (*child, error) {
	program, err := exec.LookPath(c.argv[0])
	if err != nil {
		return nil, err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	attr := &syscall.ProcAttr{
		Env: append(os.Environ(), c.env...),
		Sys: &syscall.SysProcAttr{Setpgid: c.group, Setsid: !c.group},
	}
	for _, f := range c.files {
		if f == nil {
			f = null
		}
		attr.Files = append(attr.Files, f.Fd())
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	pid, err := syscall.ForkExec(program, c.argv, attr)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	out := &child{pid: pid, name: filepath.Base(program), done: make(chan struct{})}
	n.children[pid] = out
	wake(n.started)
	return out, nil
}

// do runs a program to its end. What it says is shown when it fails.
func (n *nursery) do(ctx context.Context, argv ...string) error {
	said, err := os.CreateTemp("", "tend-bench-said-")
	if err != nil {
		return err
	}
	defer said.Close()
	os.Remove(said.Name()) //nolint:errcheck // only its name goes
	c, err := n.start(command{argv: argv, files: [3]*os.File{nil, said, said}})
	if err != nil {
		return err
	}
	if err := c.wait(ctx, 5*time.Minute); err != nil {
		return err
	}
	if c.exit.ExitStatus() != 0 {
		text := make([]byte, 4<<10)
		count, _ := said.ReadAt(text, 0)
		return fmt.Errorf("%s failed: %s", c.name, text[:count])
	}
	return nil
}

// wait waits for the end, and kills the child when that takes too long.
func (c *child) wait(ctx context.Context, atMost time.Duration) error {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		c.kill()
		return ctx.Err()
	case <-timer.C:
		c.kill()
		return fmt.Errorf("%s has not ended within %v", c.name, atMost)
	}
}

// kill ends the child by force and returns when it has ended.
func (c *child) kill() {
	select {
	case <-c.done:
		return // its pid may be somebody else's by now
	default:
	}
	syscall.Kill(c.pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
	<-c.done
}

// killGroup ends the child and whoever is in its process group.
func (c *child) killGroup() {
	syscall.Kill(-c.pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
	c.kill()
}

// reap buries whoever ends, until there is nobody left and the nursery closes.
func (n *nursery) reap() {
	defer close(n.reaped)
	for {
		err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case err == nil:
			n.bury()
		case errors.Is(err, unix.ECHILD):
			select {
			case <-n.started:
			case <-n.ending:
				return
			}
		}
	}
}

func (n *nursery) bury() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err != nil || pid <= 0 {
			return
		}
		if c := n.children[pid]; c != nil {
			delete(n.children, pid)
			c.exit = status
			close(c.done)
		}
		wake(n.buried)
	}
}

// close ends whatever lives and waits for it. Who dies leaves its children to
// us, so they follow.
func (n *nursery) close() {
	close(n.ending)
	tick := time.NewTicker(20 * time.Millisecond) // a child that was forked in between tells nobody
	defer tick.Stop()
	for {
		for _, pid := range childrenOf(os.Getpid()) {
			syscall.Kill(pid, syscall.SIGKILL) //nolint:errcheck // it is our child, dead or alive
		}
		select {
		case <-n.reaped:
			return
		case <-n.buried:
		case <-tick.C:
		}
	}
}

// wake leaves a note for whoever waits.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
