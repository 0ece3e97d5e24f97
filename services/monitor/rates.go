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
	at     time.Time
	now    map[string]Reading // of this pass, by run id
	before map[string]used
}

// used is what a run had used when it was last read with success.
type used struct {
	at          time.Time
	cpu         time.Duration
	read, write services.Amount
}

func newRates() *rates {
	return &rates{now: map[string]Reading{}, before: map[string]used{}}
}

// begin takes the readings of a pass.
func (r *rates) begin(at time.Time, readings iter.Seq[Reading]) {
	r.at = at
	for x := range readings {
		r.now[x.Run] = x
	}
}

// end forgets the runs that are gone. A reading that failed is passed over:
// the next one is compared with the one before it.
func (r *rates) end() {
	maps.DeleteFunc(r.before, func(id string, _ used) bool {
		_, alive := r.now[id]
		return !alive
	})
	for id, x := range r.now {
		if x.CPU >= 0 {
			r.before[id] = used{at: r.at, cpu: x.CPU, read: x.Read, write: x.Write}
		}
	}
	clear(r.now)
}

// shortest bounds the span over which the first reading of a run is spread:
// the processor's time comes in ticks, of which one is much in a moment.
const shortest = time.Second

// sample makes the sample of one server. A run that could not be measured has
// unknown amounts.
func (r *rates) sample(st *services.Status) services.Sample {
	out := services.Sample{At: services.Time{Time: r.at}, State: services.VigourOf(*st)}
	now, ok := r.now[st.Run]
	switch {
	case st.Run == "" || !ok && st.PID == 0:
		return out // nothing of it runs
	case !ok:
		const unknown = services.Unknown
		out.Memory, out.MemoryMax, out.Read, out.Write = unknown, unknown, unknown, unknown
		out.Processes, out.Threads, out.Files = unknown, unknown, unknown
		return out
	}
	span := shortest
	before, known := r.before[st.Run]
	if known {
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
