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
	listening map[int]listener
	before    map[int]listener // what listening was an interval ago
	known     map[int]held
}

// listener is who listens on a port.
type listener struct {
	mark    uint64 // of its sockets: the sum of their inodes; 0 for nobody
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

// list notes who listens on the given ports and forgets about all others.
func (p *ports) list(wanted []int) {
	p.before = p.listening
	if len(wanted) == 0 {
		p.listening = nil
		clear(p.known)
		return
	}
	p.listening = make(map[int]listener, len(wanted))
	for _, port := range wanted {
		p.listening[port] = listener{}
	}
	if !listListening(p.listening) {
		tryListening(p.listening)
	}
	for port := range p.known {
		if p.listening[port].mark == 0 {
			delete(p.known, port)
		}
	}
}

// isNew reports whether somebody listens on a port who did not when the list
// before was made.
func (p *ports) isNew(port int) bool {
	mark := p.listening[port].mark
	return mark != 0 && mark != p.before[port].mark
}

// holder returns who listens on a port, nil for nobody or where it cannot be
// found out, which why then says.
func (p *ports) holder(port int, now time.Duration) (holder *services.Holder, why string) {
	mark := p.listening[port].mark
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
func tryListening(ports map[int]listener) {
	for port := range ports {
		c := conn{port: port}
		switch s, _ := c.dial(); s {
		case pending:
			c.close()
			ports[port] = listener{mark: 1}
		case reached:
			ports[port] = listener{mark: 1}
		}
	}
}
