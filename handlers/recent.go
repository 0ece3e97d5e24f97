package handlers

import (
	"slices"
	"sync"
	"time"

	"tend/services"
	"tend/views/model"
)

const (
	recentSpan  = 10 * time.Minute
	recentEvery = 14 * time.Second // samples that come faster take the place of the one before
	recentMost  = 45
)

// Recent remembers what each server used lately, for the small pictures of the
// overview: history would have to be asked a thousand times for one page. Use
// NewRecent; everybody may call its methods.
type Recent struct {
	mu      sync.Mutex // guards what follows
	servers map[string]*recent
	repeats services.Repeats
}

// recent is one server. The newest sample is kept whole, of older ones what is
// drawn.
type recent struct {
	repeated services.Repeated
	rev      uint64
	newest   *services.Sample
	points   []point                           // the newest last
	minutes  [model.StripSlots]services.Vigour // the worst of each minute, in a ring
	minute   int64                             // since 1970, of the last one that is filled
}

// note notes how well the server was.
func (r *recent) note(s services.Sample) {
	minute := s.At.Unix() / 60
	for m := max(r.minute+1, minute-int64(len(r.minutes))+1); m <= minute; m++ {
		r.minutes[m%int64(len(r.minutes))] = services.VigourNone
	}
	r.minute = max(r.minute, minute)
	if at := &r.minutes[minute%int64(len(r.minutes))]; minute > r.minute-int64(len(r.minutes)) {
		*at = max(*at, s.State)
	}
}

type point struct {
	at     int64 // unix seconds
	memory int64
	cpu    float32
	state  services.Vigour
}

// NewRecent makes a memory without samples.
func NewRecent() *Recent { return &Recent{servers: make(map[string]*recent)} }

// Add notes a sample.
func (r *Recent) Add(server string, s services.Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of(server)
	if one == nil {
		one = &recent{}
		r.servers[server] = one
	}
	r.repeats.Told(&one.repeated, s.At.Time)
	one.add(&s)
}

// Repeat notes that all servers which have had a sample at since or later, and
// none at at, had their last one once more.
func (r *Recent) Repeat(at, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.repeats.Len() == recentMost {
		r.settle(since)
	}
	r.repeats.Note(at, since)
}

// settle notes everywhere what was repeated, and forgets who has had no sample
// since then. The caller holds mu.
func (r *Recent) settle(since time.Time) {
	for server, one := range r.servers {
		if r.catchUp(one); one.newest.At.Before(since) {
			delete(r.servers, server)
		}
	}
	r.repeats.Forget()
}

// of returns what is known of a server, nil for nothing. The caller holds mu.
func (r *Recent) of(server string) *recent {
	one := r.servers[server]
	if one != nil {
		r.catchUp(one)
	}
	return one
}

// catchUp notes what was repeated. The caller holds mu.
func (r *Recent) catchUp(one *recent) {
	for at := range r.repeats.Missed(&one.repeated) {
		s := *one.newest // somebody may have it
		s.At = services.Time{Time: at}
		one.add(&s)
	}
}

// add notes a sample.
func (one *recent) add(s *services.Sample) {
	if one.newest != nil && s.At.Round(0).Before(one.newest.At.Round(0)) { // the clock was set back
		*one = recent{rev: one.rev, repeated: one.repeated}
	}
	one.rev = max(one.rev+1, uint64(s.At.UnixMilli()))
	one.newest = s
	one.note(*s)
	p := point{at: s.At.Unix(), memory: int64(s.Memory), cpu: float32(s.CPU), state: s.State}
	n := len(one.points)
	switch {
	case n >= 2 && p.at-one.points[n-2].at < int64(recentEvery/time.Second):
		one.points[n-1] = p
	case n == recentMost:
		copy(one.points, one.points[1:])
		one.points[n-1] = p
	default:
		one.points = append(one.points, p)
	}
}

// Len returns how many servers are known.
func (r *Recent) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.servers)
}

// Rev grows with each sample of a server, whatever happens to the clock.
func (r *Recent) Rev(server string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.of(server); one != nil {
		return one.rev
	}
	return 0
}

// Newest returns the last sample of a server, nil for none. Nobody may change
// it.
func (r *Recent) Newest(server string) *services.Sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.of(server); one != nil {
		return one.newest
	}
	return nil
}

// Strip returns how well a server was, minute by minute, the oldest first.
func (r *Recent) Strip(server string, now time.Time) (out [model.StripSlots]services.Vigour) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.of(server)
	if one == nil {
		return out
	}
	last := now.Unix() / 60
	for i := range out {
		m := last - int64(len(out)-1-i)
		if m > one.minute-int64(len(out)) && m <= one.minute {
			out[i] = one.minutes[m%int64(len(out))]
		}
	}
	return out
}

// Of returns what a server used lately, the oldest first, as far as it is
// drawn.
func (r *Recent) Of(server string) []services.Sample {
	r.mu.Lock()
	var points []point
	if one := r.of(server); one != nil {
		points = slices.Clone(one.points)
	}
	r.mu.Unlock()
	out := make([]services.Sample, len(points))
	for i, p := range points {
		out[i] = services.Sample{
			At: services.Time{Time: time.Unix(p.at, 0)}, State: p.state, CPU: float64(p.cpu), CPUMax: float64(p.cpu),
			Memory: services.Amount(p.memory), MemoryMax: services.Amount(p.memory),
			Read: services.Unknown, Write: services.Unknown, Processes: services.Unknown, Threads: services.Unknown, Files: services.Unknown,
		}
	}
	return out
}
