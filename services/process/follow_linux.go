package process

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tend/services"
)

// promote makes another process of a run its main process, because a process of
// the run has said so (MAINPID). One that is not of the run, or does not live,
// changes nothing.
func (h *Host) promote(run services.Run, pid int) {
	if pid == run.Leader.PID {
		return
	}
	s, err := readStat(pid)
	if err != nil || s.dead() {
		return
	}
	if of, ours := h.RunOf(pid); !ours || of.ID != run.ID {
		h.log.Warn("a server names a process that is not its own as its main one (MAINPID)", "server", run.Server, "pid", pid)
		return
	}
	h.mu.Lock()
	p := h.live[run.ID]
	h.mu.Unlock()
	next, err := h.open(s.Identity)
	if err != nil || p == nil {
		return
	}
	if !p.follow(next) {
		h.closeHandle(next)
	}
}

// follow reports false where the run has ended or is being ended.
func (p *Process) follow(next *handle) bool {
	run := p.Run()
	members, _ := p.host.members(run) // which the session of the next one may not show any more
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.leader
	if before == nil || p.leaderDead() || p.tree.draining {
		return false
	}
	p.leader = next
	if p.watch(next) != nil {
		p.leader = before
		return false
	}
	p.run.Leader = next.Identity
	p.host.estrange(run.ID)
	if run.Cgroup == "" {
		p.run.Members = members
	}
	p.tellChanged()
	return true
}

// replaced reports whether another process is the main one by now, and then
// lets this one go. It needs the lock.
func (p *Process) replaced(leader *handle) bool {
	if p.leader == leader {
		return false
	}
	p.host.closeHandle(leader)
	return true
}

// hearTime bounds the wait for what servers have said: ten messages at the most,
// 512 where systemd has set net.unix.max_dgram_qlen, each of which takes a unit
// a quarter of a millisecond.
const hearTime = time.Second

// marks are what those wait for who want to know that all that was said so far
// has been heard. They share them: one is under way at a time, and who comes
// meanwhile waits for the next. To send one may block a thread.
type marks struct {
	mu   sync.Mutex    // guards what follows
	next chan struct{} // closed when the next one was heard, nil while nobody waits for it
	busy bool
}

// hearOut waits until all that was said by sd_notify so far has been heard: who
// names its child as the main process, or says why it cannot go on, may end
// right after.
func (h *Host) hearOut() {
	m := &h.marks
	m.mu.Lock()
	if m.next == nil {
		m.next = make(chan struct{})
	}
	heard, first := m.next, !m.busy
	m.busy = true
	m.mu.Unlock()
	if first {
		h.work.Go(h.hearMarks)
	}
	<-heard
}

// hearMarks sends marks as long as somebody waits for one.
func (h *Host) hearMarks() {
	m := &h.marks
	for {
		m.mu.Lock()
		next := m.next
		m.next, m.busy = nil, next != nil
		m.mu.Unlock()
		if next == nil {
			return
		}
		if err := h.hearMark(); err != nil {
			h.log.Warn("what a server has said last may not be heard before its end is", "err", err)
		}
		close(next)
	}
}

// hearMark sends a mark and waits until its turn has come, or hearTime is over.
func (h *Host) hearMark() error {
	if !h.hearing.Load() {
		return nil
	}
	heard, mark, err := os.Pipe()
	if err != nil {
		return err
	}
	defer heard.Close()
	until := time.Now().Add(hearTime)
	err = sendMark(notifyName(h.instance), mark, until)
	mark.Close()
	switch {
	case errors.Is(err, unix.ECONNREFUSED):
		return nil // nobody listens any more
	case err != nil:
		return err
	}
	heard.SetReadDeadline(until) //nolint:errcheck // a pipe has deadlines
	heard.Read(make([]byte, 1))  //nolint:errcheck // it ends when the other copy is closed
	return nil
}

// sendMark sends a descriptor, which whoever listens closes when its turn
// comes. Package net cannot send one by a connected socket of this kind, and
// the poller does not know when there is room for one that is not connected.
func sendMark(name string, mark *os.File, until time.Time) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // what was sent is sent
	for {
		limit := unix.NsecToTimeval(max(time.Until(until), time.Millisecond).Nanoseconds()) // zero would be for ever
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
			return err
		}
		err := unix.Sendmsg(fd, []byte("BARRIER=1"), unix.UnixRights(int(mark.Fd())), &unix.SockaddrUnix{Name: name}, 0)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
