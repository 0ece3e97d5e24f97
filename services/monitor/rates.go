package monitor

import (
	"iter"
	"maps"
	"time"

	"tend/services"
)

// rates remembers what each run had used at the reading before, to tell what it
// has used since.
type rates struct {
	at, last time.Time        // of this pass and the one before
	whole    bool             // this pass has readings of all runs
	runs     map[string]*rate // by id
	moved    []*rate          // have something new to tell in this pass
	busy     []*rate          // have told in it what the next sample has otherwise
	changes  uint64           // at the last whole pass
	since    time.Time        // of that pass
}

// rate is one run.
type rate struct {
	now    Reading
	at     time.Time        // of the last pass that had something new of it
	status *services.Status // at the last whole pass, nil: it was nobody's run
	before used
}

// used is what a run had used when it was last read with success, at the zero
// time where it never was.
type used struct {
	at          time.Time
	cpu         time.Duration
	read, write services.Amount
}

func newRates() *rates { return &rates{runs: map[string]*rate{}} }

// begin takes the readings of a pass: of all runs, or of those that have
// changed since the pass before.
func (r *rates) begin(at time.Time, whole bool, readings iter.Seq[Reading]) {
	r.last, r.at, r.whole = r.at, at, whole
	r.moved = r.moved[:0]
	for x := range readings {
		one := r.runs[x.Run]
		if one == nil {
			one = &rate{at: at}
			r.runs[x.Run] = one
		}
		one.now = x
		r.move(one)
		if whole {
			one.status = nil
		}
	}
	if !whole {
		for _, one := range r.busy { // the next sample says that it is over
			if !one.at.Equal(at) {
				r.move(one)
			}
		}
	}
	r.busy = r.busy[:0]
}

// move notes that a run has something new to tell. What has not changed was
// read with success in every pass until now.
func (r *rates) move(one *rate) {
	if b := &one.before.at; !b.IsZero() && b.Equal(one.at) {
		*b = r.last
	}
	one.at = r.at
	r.moved = append(r.moved, one)
}

// end prepares for the next pass. A reading that failed is passed over: the
// next one is compared with the one before it.
func (r *rates) end() {
	for _, one := range r.moved {
		if x := &one.now; x.CPU >= 0 {
			one.before = used{at: one.at, cpu: x.CPU, read: x.Read, write: x.Write}
		}
	}
	if r.whole {
		maps.DeleteFunc(r.runs, func(_ string, one *rate) bool { return !one.at.Equal(r.at) })
	}
}

// shortest bounds the span over which the first reading of a run is spread:
// the processor's time comes in ticks, of which one is much in a moment.
const shortest = time.Second

// sample makes the sample of a server in a whole pass. A run that could not be
// measured has unknown amounts.
func (r *rates) sample(st *services.Status) services.Sample {
	one := r.runs[st.Run]
	if read := one != nil && one.at.Equal(r.at); read && st.Run != "" {
		one.status = st
		return r.of(one)
	}
	out := services.Sample{At: services.Time{Time: r.at}, State: services.VigourOf(st)}
	if st.Run != "" && st.PID != 0 {
		const unknown = services.Unknown
		out.Memory, out.MemoryMax, out.Read, out.Write = unknown, unknown, unknown, unknown
		out.Processes, out.Threads, out.Files = unknown, unknown, unknown
	}
	return out
}

// of makes the sample of a run that has something new to tell.
func (r *rates) of(one *rate) services.Sample {
	out := services.Sample{At: services.Time{Time: r.at}, State: services.VigourOf(one.status)}
	now, before, span := &one.now, &one.before, shortest
	if !before.at.IsZero() {
		span = r.at.Sub(before.at)
	} else if !now.Started.IsZero() {
		span = max(span, r.at.Sub(now.Started))
	}
	if now.CPU > 0 {
		out.CPU = 100 * float64(max(now.CPU-before.cpu, 0)) / float64(span)
	}
	out.CPUMax = out.CPU
	out.Read, out.Write = perSecond(before.read, now.Read, span), perSecond(before.write, now.Write, span)
	out.Memory, out.MemoryMax = now.Memory, now.Memory
	out.Processes, out.Threads, out.Files = now.Processes, now.Threads, now.Files
	if out.CPU > 0 || out.Read > 0 || out.Write > 0 || out.Read < 0 && now.Read >= 0 || out.Write < 0 && now.Write >= 0 {
		r.busy = append(r.busy, one)
	}
	return out
}

// perSecond is unknown where one of the two counts is.
func perSecond(before, now services.Amount, span time.Duration) services.Amount {
	if before < 0 || now < 0 {
		return services.Unknown
	}
	return services.Amount(float64(max(now-before, 0)) / span.Seconds())
}
