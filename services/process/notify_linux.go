package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// listenAgain is the pause before another attempt, for want of descriptors.
const listenAgain = time.Second

// Notices hands over what servers say by sd_notify, until ctx ends. What
// somebody else sends is left out. While no manager listens messages are lost,
// and a server that waits for an answer is not kept waiting: start none before
// begun was called. That is once somebody listens, or cannot.
func (h *Host) Notices(ctx context.Context, begun func(), take func(Notice)) error {
	c, err := h.listen()
	begun()
	for noRoom(err) {
		select {
		case <-time.After(listenAgain):
		case <-ctx.Done():
			return nil
		}
		c, err = h.listen()
	}
	if err != nil {
		return fmt.Errorf("listen for what servers say: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	h.hearing.Store(true)
	defer h.hearing.Store(false)
	text, control := make([]byte, mostNotice), make([]byte, 512)
	for {
		n, m, flags, _, err := c.ReadMsgUnix(text, control)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			continue
		}
		pid, fds := contents(control[:m])
		if run, ours := h.RunOf(pid); ours && flags&unix.MSG_TRUNC == 0 {
			if notice := parseNotice(string(text[:n])); notice != (Notice{}) {
				notice.Server, notice.Run = run.Server, run.ID
				h.spoke(run.ID)
				if notice.MainPID > 0 {
					h.promote(run, notice.MainPID)
				}
				take(notice)
			}
		}
		for _, fd := range fds { // what they are to be stored for is not ours; for BARRIER it is the answer
			// Anybody may send one whose close waits for somebody else.
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{}) //nolint:errcheck // few are sockets
			unix.Close(fd)
		}
	}
}

// spoke notes that a run says something by sd_notify: its last words are to be
// heard.
func (h *Host) spoke(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := h.live[id]; p != nil {
		p.speaks.Store(true)
	}
}

// listen opens the socket. Whoever sends is known from the first message on.
func (h *Host) listen() (*net.UnixConn, error) {
	known := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if controlErr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); controlErr != nil {
			return controlErr
		}
		return err
	}}
	c, err := known.ListenPacket(context.Background(), "unixgram", notifyName(h.instance))
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// contents returns the sender of a message and the descriptors in it.
func contents(control []byte) (pid int, fds []int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, nil
	}
	for i := range messages {
		if cred, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
			pid = int(cred.Pid)
			continue
		}
		if list, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, list...)
		}
	}
	return pid, fds
}

// RunOf returns the live run of ours that a process belongs to. A process that
// has just been started may ask before its run is among them: it is waited for.
func (h *Host) RunOf(pid int) (services.Run, bool) {
	if pid <= 0 || h.kin[pid] {
		return services.Run{}, false
	}
	id := h.claimed(pid)
	run, ours := h.runOf(pid, id)
	if !ours && id != "" {
		h.awaitStart(id)
		run, ours = h.runOf(pid, id)
	}
	return run, ours
}

// claimed returns the run of ours that the cgroup of a process, or the mark in
// its environment, names; empty for none.
func (h *Host) claimed(pid int) (id string) {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err == nil && h.cgroups != nil {
		if _, rest, found := strings.Cut(string(text), "/"+cgroupPrefix+h.instance+"/"); found {
			name, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
			name, _, _ = strings.Cut(name, "/")
			_, id, _ = strings.Cut(name, ".")
		}
	}
	if m, _ := readMark(pid); id == "" && m.instance == h.instance {
		id = m.run
	}
	return id
}

// runOf looks among the live runs.
func (h *Host) runOf(pid int, id string) (services.Run, bool) {
	var t *table
	for _, p := range h.all() {
		run := p.Run()
		if run.ID == id || run.Leader.PID == pid {
			return run, true
		}
		if id != "" || run.Cgroup != "" {
			continue
		}
		if t == nil {
			t = h.scanner.look()
		}
		for _, member := range t.members(run) {
			if member.PID == pid {
				return run, true
			}
		}
	}
	return services.Run{}, false
}
