package history

import (
	"math"
	"time"

	"tend/services"
)

// blend combines samples of one span: the means of CPU, memory, reads and
// writes, the most of everything else, and the worst state. What nobody knows
// does not count; where nobody knew, it stays unknown.
type blend struct {
	n                   int
	state               services.Vigour
	cpu, cpuMax         float64 // cpu is the sum
	memory, read, write mean
	memoryMax           services.Amount
	processes, threads  services.Amount
	files               services.Amount
}

// mean is that of the amounts that are known.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(a services.Amount) {
	if a >= 0 {
		m.sum += float64(a)
		m.n++
	}
}

func (m mean) amount() services.Amount {
	if m.n == 0 {
		return services.Unknown
	}
	return services.Amount(math.Round(m.sum / float64(m.n)))
}

func (b *blend) add(s services.Sample) {
	if b.n == 0 {
		b.memoryMax, b.processes, b.threads, b.files = services.Unknown, services.Unknown, services.Unknown, services.Unknown
	}
	b.n++
	b.state = max(b.state, s.State)
	b.cpu += s.CPU
	b.cpuMax = max(b.cpuMax, s.CPU, s.CPUMax)
	b.memory.add(s.Memory)
	b.memoryMax = max(b.memoryMax, s.Memory, s.MemoryMax)
	b.read.add(s.Read)
	b.write.add(s.Write)
	b.processes = max(b.processes, s.Processes)
	b.threads = max(b.threads, s.Threads)
	b.files = max(b.files, s.Files)
}

// sample returns the blend of what was added, as that of the span which begins
// at the given second. Something must have been added.
func (b *blend) sample(at int64) services.Sample {
	return services.Sample{
		At: services.Time{Time: time.Unix(at, 0)}, State: b.state, CPU: b.cpu / float64(b.n), CPUMax: b.cpuMax,
		Memory: b.memory.amount(), MemoryMax: b.memoryMax, Read: b.read.amount(), Write: b.write.amount(),
		Processes: b.processes, Threads: b.threads, Files: b.files,
	}
}

// sane replaces what cannot be: the rest of the package need not care.
func sane(s services.Sample) services.Sample {
	for _, cpu := range []*float64{&s.CPU, &s.CPUMax} {
		if !(*cpu > 0) { // also what is not a number
			*cpu = 0
		}
		*cpu = min(*cpu, 1e9)
	}
	for _, a := range []*services.Amount{&s.Memory, &s.MemoryMax, &s.Read, &s.Write, &s.Processes, &s.Threads, &s.Files} {
		*a = max(*a, services.Unknown)
	}
	return s
}

// blended combines samples into one for each step, in seconds; those of one
// step must follow each other.
func blended(samples []services.Sample, step int64) []services.Sample {
	if apart(samples, step) {
		return samples
	}
	var out []services.Sample
	var b blend
	var at int64
	for _, s := range samples {
		if now := floor(s.At.Unix(), step); now != at || b.n == 0 {
			if b.n > 0 {
				out = append(out, b.sample(at))
			}
			b, at = blend{}, now
		}
		b.add(s)
	}
	if b.n > 0 {
		out = append(out, b.sample(at))
	}
	return out
}

// apart reports whether there is one sample for each step, at its beginning.
func apart(samples []services.Sample, step int64) bool {
	last := int64(-1)
	for i := range samples {
		at := samples[i].At.Unix()
		if at%step != 0 || at <= last {
			return false
		}
		last = at
	}
	return true
}

// floor is the beginning of the step that a second belongs to.
func floor(at, step int64) int64 { return at - at%step }
