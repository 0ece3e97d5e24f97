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
	at   time.Time
	runs map[string]*rate // of this pass and the one before, by id
}

// rate is one run.
type rate struct {
	now    Reading
	at     time.Time // of the pass that now is of
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

// begin takes the readings of a pass.
func (r *rates) begin(at time.Time, readings iter.Seq[Reading]) {
	r.at = at
	for x := range readings {
		one := r.runs[x.Run]
		if one == nil {
			one = &rate{}
			r.runs[x.Run] = one
		}
		one.now, one.at = x, at
	}
}

// end forgets the runs that are gone. A reading that failed is passed over:
// the next one is compared with the one before it.
func (r *rates) end() {
	maps.DeleteFunc(r.runs, func(_ string, one *rate) bool {
		if x := &one.now; x.CPU >= 0 {
			one.before = used{at: one.at, cpu: x.CPU, read: x.Read, write: x.Write}
		}
		return !one.at.Equal(r.at)
	})
}

// shortest bounds the span over which the first reading of a run is spread:
// the processor's time comes in ticks, of which one is much in a moment.
const shortest = time.Second

// sample makes the sample of one server. A run that could not be measured has
// unknown amounts.
func (r *rates) sample(st *services.Status) services.Sample {
	out := services.Sample{At: services.Time{Time: r.at}, State: services.VigourOf(st)}
	one := r.runs[st.Run]
	read := one != nil && one.at.Equal(r.at)
	switch {
	case st.Run == "" || !read && st.PID == 0:
		return out // nothing of it runs
	case !read:
		const unknown = services.Unknown
		out.Memory, out.MemoryMax, out.Read, out.Write = unknown, unknown, unknown, unknown
		out.Processes, out.Threads, out.Files = unknown, unknown, unknown
		return out
	}
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
	return out
}

// perSecond is unknown where one of the two counts is.
func perSecond(before, now services.Amount, span time.Duration) services.Amount {
	if before < 0 || now < 0 {
		return services.Unknown
	}
	return services.Amount(float64(max(now-before, 0)) / span.Seconds())
}
