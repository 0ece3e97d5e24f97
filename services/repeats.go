package services

import (
	"iter"
	"time"
)

// Repeats are the times at which all servers had their last sample once more.
// Noting one takes as long for a thousand servers as for one: what is kept of a
// server catches up when somebody asks for it. The zero value is ready; the
// caller guards it and its Repeated.
type Repeats struct {
	noted []repeat // those that somebody may have missed
	total int      // with those that nobody can have missed any more
}

// repeat is one such time. A server that had no sample at since or later is
// gone.
type repeat struct{ at, since time.Time }

// Repeated is how far one server has caught up.
type Repeated struct {
	told time.Time // when it had a sample of its own
	upTo int       // of the total
}

// Note says that every server that has had a sample of its own at since or later,
// and none at at, had its last one once more at at.
func (r *Repeats) Note(at, since time.Time) {
	r.noted = append(r.noted, repeat{at, since})
	r.total++
}

// Len returns how many are kept.
func (r *Repeats) Len() int { return len(r.noted) }

// Told says that a server, which has caught up, had a sample of its own.
func (r *Repeats) Told(server *Repeated, at time.Time) { *server = Repeated{at, r.total} }

// Missed yields when a server had its last sample since it last caught up, in the
// order in which that was noted. With that it has caught up.
func (r *Repeats) Missed(server *Repeated) iter.Seq[time.Time] {
	missed := r.noted[len(r.noted)-(r.total-server.upTo):]
	server.upTo = r.total
	return func(yield func(time.Time) bool) {
		for _, one := range missed {
			if !server.told.Before(one.since) && !server.told.Equal(one.at) && !yield(one.at) {
				return
			}
		}
	}
}

// Forget drops those that are kept: every server has caught up.
func (r *Repeats) Forget() { r.noted = r.noted[:0] }
