package monitor

import (
	"fmt"
	"time"
)

// stuck is after how many rounds, in which a server has accepted nothing that
// waits, it is hung: its kernel takes connections in its name for a while.
const stuck = 3

// Eyes look at the processes of a run. Both may be nil: then nobody looks.
type Eyes struct {
	// Owned reports whether a run has one of these sockets open, true where it
	// cannot be found out.
	Owned func(run string, inodes []uint32) bool
	// Halted returns those of the runs whose main process is stopped by a signal.
	Halted func(runs ...string) []string
}

func (e Eyes) halted(runs ...string) []string {
	if e.Halted == nil || len(runs) == 0 {
		return nil
	}
	return e.Halted(runs...)
}

// halt is what is said of a run whose main process is stopped by a signal.
const halt = "it is halted (SIGSTOP): SIGCONT lets it go on"

// backlog is what is known of the connections that a live server has not
// accepted yet.
type backlog struct {
	run     string
	mark    uint64 // of the sockets whose owner is known
	owned   bool
	waiting int // at the last look
	rounds  int // in which nothing was accepted
	why     string
}

// lookAtBacklogs finds servers whose ports take connections and that are not
// well all the same: they are stopped, accept nothing, or the port is not
// theirs.
func (w *watch) lookAtBacklogs() {
	for i := range w.queue {
		p := &w.queue[i]
		listens := p.Alive && len(p.listener.inodes) > 0 // else the check itself says that nobody does
		if !listens || p.backlog.run != p.Run {
			p.backlog = backlog{run: p.Run}
		}
		if listens {
			p.backlog.look(w.Eyes, p.Port, p.listener)
		}
	}
}

func (q *backlog) look(eyes Eyes, port int, l *listener) {
	if q.mark != l.mark {
		q.mark, q.owned = l.mark, eyes.Owned == nil || eyes.Owned(q.run, l.inodes)
	}
	if l.waiting == 0 || l.waiting < q.waiting {
		q.rounds = 0
	} else if q.waiting > 0 {
		q.rounds++
	}
	q.waiting = l.waiting
	switch {
	case !q.owned:
		q.why = fmt.Sprintf("port %d is not its own: another process listens there", port)
	case q.rounds > 0 && len(eyes.halted(q.run)) > 0:
		q.why = halt
	case q.rounds >= stuck:
		q.why = fmt.Sprintf("port %d takes connections, but it has accepted none of %d that wait", port, l.waiting)
	default:
		q.why = ""
	}
}

// hung says why a server is not well though its port takes connections, empty
// where it is.
func (w *watch) hung(t Target) string {
	if i, known := w.index[t.Server]; known && w.queue[i].backlog.run == t.Run {
		return w.queue[i].backlog.why
	}
	return ""
}

// haltStep is how often a server without a port is looked at for whether it is
// halted: with a port, its queue says when to look.
const haltStep = 15 * time.Second

// lookForHalted finds the live servers without a port that are halted: those
// that were halted before, and at every haltStep all.
func (w *watch) lookForHalted() {
	all := w.round%max(1, int(haltStep/w.Interval)) == 0
	w.round++
	if !all && len(w.halted) == 0 {
		return
	}
	due := w.asked[:0]
	for _, t := range w.targets {
		if t.Alive && t.Port == 0 && (all || w.halted[t.Run]) {
			due = append(due, t.Run)
		}
	}
	w.asked = due
	clear(w.halted)
	for _, run := range w.Eyes.halted(due...) {
		w.halted[run] = true
	}
}
