package monitor

import "fmt"

// stuck is after how many rounds, in which a server has accepted nothing that
// waits, it is hung: its kernel takes connections in its name for a while.
const stuck = 3

// queue is what is known of the port of a live server.
type queue struct {
	run     string
	mark    uint64 // of the sockets whose owner is known
	owned   bool
	waiting int // at the last look
	rounds  int // in which nothing was accepted
	why     string
}

// lookAtQueues finds servers whose ports take connections and that are not
// well all the same: they are stopped, accept nothing, or the port is not
// theirs.
func (w *watch) lookAtQueues(targets []Target) {
	before := w.queues
	w.queues = make(map[string]*queue, len(before))
	for _, t := range targets {
		if t.Port == 0 || !t.Alive {
			continue
		}
		l, known := w.ports.listening[t.Port]
		if !known || l.mark == 0 || len(l.inodes) == 0 {
			continue // the check itself says that nobody listens
		}
		q := before[t.Server]
		if q == nil || q.run != t.Run {
			q = &queue{run: t.Run}
		}
		w.queues[t.Server] = q
		q.look(w, t, l)
	}
}

func (q *queue) look(w *watch, t Target, l listener) {
	if q.mark != l.mark {
		q.mark, q.owned = l.mark, w.Owned == nil || w.Owned(t.Run, l.inodes)
	}
	if l.waiting == 0 || l.waiting < q.waiting {
		q.rounds = 0
	} else if q.waiting > 0 {
		q.rounds++
	}
	q.waiting = l.waiting
	switch {
	case !q.owned:
		q.why = fmt.Sprintf("port %d is not its own: another process listens there", t.Port)
	case q.rounds > 0 && w.Halted != nil && w.Halted(t.Run):
		q.why = "it is halted (SIGSTOP): SIGCONT lets it go on"
	case q.rounds >= stuck:
		q.why = fmt.Sprintf("port %d takes connections, but it has accepted none of %d that wait", t.Port, l.waiting)
	default:
		q.why = ""
	}
}

// hung says why a server is not well though its port takes connections, empty
// where it is.
func (w *watch) hung(t Target) string {
	if q := w.queues[t.Server]; q != nil && q.run == t.Run {
		return q.why
	}
	return ""
}
