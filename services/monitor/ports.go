package monitor

import (
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"tend/services"
)

// recheck is how long an answer to "who holds this port?" is believed while
// the same socket listens there: a process may hand its socket to another.
const recheck = 30 * time.Second

// ports knows who holds the ports of servers that are down. To find out that
// a port is free costs nothing beyond the one listing of all sockets in an
// interval; who holds one is asked once.
type ports struct {
	find      func(port int) (services.Holder, bool, error)
	log       *slog.Logger
	listening map[int]*listener // on the ports that are asked for
	known     map[int]held
}

// listener is who listens on a port.
type listener struct {
	mark    uint64 // of its sockets: the sum of their inodes; 0 for nobody
	before  uint64 // the mark an interval ago
	inodes  []uint32
	waiting int // connections that it has not accepted yet
}

// held is an answer.
type held struct {
	mark   uint64
	at     time.Duration
	holder *services.Holder // nil: it could not be found out
	why    string
}

// at returns the listener on a port, from among those that were known before.
func (p *ports) at(port int, before map[int]*listener) *listener {
	l := p.listening[port] // two servers may have one port
	if l == nil {
		if l = before[port]; l == nil {
			l = new(listener)
		}
		p.listening[port] = l
	}
	return l
}

// list notes who listens.
func (p *ports) list() {
	for _, l := range p.listening {
		l.before, l.mark, l.inodes, l.waiting = l.mark, 0, l.inodes[:0], 0
	}
	if len(p.listening) > 0 && !listListening(p.listening) {
		tryListening(p.listening)
	}
	for port := range p.known {
		if l := p.listening[port]; l == nil || l.mark == 0 {
			delete(p.known, port)
		}
	}
}

// isNew reports whether somebody listens who did not when the list before was
// made.
func (l *listener) isNew() bool { return l.mark != 0 && l.mark != l.before }

// holder returns who has the sockets of this mark on a port, nil for nobody or
// where it cannot be found out, which why then says.
func (p *ports) holder(port int, mark uint64, now time.Duration) (holder *services.Holder, why string) {
	if mark == 0 {
		return nil, ""
	}
	last, asked := p.known[port]
	if asked && last.mark == mark && now-last.at < recheck && (last.holder == nil || exists(last.holder.PID)) {
		return last.holder, last.why
	}
	answer := held{mark: mark, at: now}
	h, found, err := p.find(port)
	switch {
	case err != nil:
		answer.why = fmt.Sprintf("port %d is in use, but by whom cannot be found out: %v", port, err)
	case !found:
		answer.why = fmt.Sprintf("port %d is in use, but by whom cannot be found out", port)
	default:
		answer.holder = &h
	}
	if answer.why != "" && answer.why != last.why {
		p.log.Warn("the holder of a port cannot be found", "port", port, "err", err)
	}
	p.known[port] = answer
	return answer.holder, answer.why
}

// exists reports whether there is a process with this pid.
func exists(pid int) bool {
	return pid > 0 && syscall.Kill(pid, 0) != syscall.ESRCH
}

// tryListening marks the ports that take connections. It is for systems that
// have no list of their sockets, and finds only who listens on the loopback.
func tryListening(ports map[int]*listener) {
	for port, l := range ports {
		l.mark, l.inodes, l.waiting = 0, l.inodes[:0], 0 // a list may have broken off
		c := conn{port: port}
		switch s, _ := c.dial(); s {
		case pending:
			c.close()
			l.mark = 1
		case reached:
			l.mark = 1
		}
	}
}
