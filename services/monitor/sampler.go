package monitor

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"tend/services"
)

// Reading is what one run holds now, and has used since it began.
type Reading struct {
	Server  string
	Run     string // id
	Started time.Time

	CPU         time.Duration   // used since it began; negative: not known
	Read, Write services.Amount // bytes since it began

	Memory, Processes, Threads, Files services.Amount
}

// SamplerOptions says what to measure and whom to tell. Run is the only caller
// of these functions.
type SamplerOptions struct {
	// Measure makes one pass over the live runs: all, or those whose reading is
	// not the one of the pass before.
	Measure func(ctx context.Context, all bool) iter.Seq[Reading]
	Status  func() iter.Seq[*services.Status] // of all servers; nobody changes one
	Changes func() uint64                     // grows after Status, or which runs live, has changed

	Report func(server, run string, s services.Sample)
	// Repeat gives a sample to every server that was reported at since or later
	// and is not at at: its last one, of that time.
	Repeat func(at, since time.Time)
}

// How often servers are measured.
const (
	SampleStep     = services.FineStep // while nobody looks
	SampleStepFast = 2 * time.Second   // while somebody does
	// lookTime is how long somebody looks who says so once: some fast steps, so
	// that saying it again with each sample is soon enough.
	lookTime = 10 * time.Second
	tooNear  = SampleStepFast / 4
)

// Sampler turns readings into samples. Use NewSampler.
type Sampler struct {
	o     SamplerOptions
	news  chan struct{} // somebody has begun to look
	epoch time.Time
	until atomic.Int64 // when they stop, since epoch: the clock on the wall may be set
}

// NewSampler makes a sampler; Run makes it measure.
func NewSampler(o SamplerOptions) *Sampler {
	return &Sampler{o: o, news: make(chan struct{}, 1), epoch: time.Now()}
}

// Look says that somebody looks at samples now and for some seconds. The first
// sample for them comes at once, the next ones at the fast step. It never
// blocks, and may be called by anybody at any time.
func (s *Sampler) Look() {
	now := time.Since(s.epoch)
	if before := s.until.Swap(int64(now + lookTime)); before > int64(now) {
		return // they are looking already
	}
	select {
	case s.news <- struct{}{}:
	default: // it is told already
	}
}

// Run measures until ctx ends: all servers in one pass, at whole multiples of
// the step on the clock. A pass that takes longer than the step leaves out the
// next one. It returns nil.
//
// Each pass makes one sample of each server. It reports all of them, which is a
// whole pass, while somebody looks and when anything has changed but what runs
// use; otherwise those that are new, and repeats the others. A server that is
// down has a sample with zero amounts. The first sample of a run has means
// since it began, as nobody looked before; from then on they are means since
// the sample before.
func (s *Sampler) Run(ctx context.Context) error {
	r := newRates()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.news:
			if time.Since(last) < SampleStepFast { // that is news enough
				timer.Reset(untilNext(time.Now(), SampleStepFast))
				continue
			}
		}
		last = time.Now()
		s.pass(ctx, r, last)
		timer.Reset(untilNext(time.Now(), s.step()))
	}
}

// step returns how often to measure now.
func (s *Sampler) step() time.Duration {
	if int64(time.Since(s.epoch)) < s.until.Load() {
		return SampleStepFast
	}
	return SampleStep
}

// untilNext returns the time until the next multiple of step, or the one after
// it where that is too near: what is used in a moment says little, and a timer
// may fire a moment before the clock is there.
func untilNext(now time.Time, step time.Duration) time.Duration {
	d := now.Truncate(step).Add(step).Sub(now)
	if d < tooNear {
		d += step
	}
	return d
}

// leaps reports whether the clock was set, or there was no pass for long.
func leaps(before, now time.Time) bool {
	d := now.Round(0).Sub(before.Round(0))
	return d < 0 || d > gap
}

// pass measures once and tells everybody's sample. at is the same for all.
func (s *Sampler) pass(ctx context.Context, r *rates, at time.Time) {
	changes := s.o.Changes() // before: what changes meanwhile is looked at again
	whole := changes != r.changes || s.step() != SampleStep || leaps(r.at, at)
	r.begin(at, whole, s.o.Measure(ctx, whole))
	if ctx.Err() != nil {
		return // it may have ended in the middle
	}
	if whole {
		r.changes, r.since = changes, at
		for st := range s.o.Status() {
			s.o.Report(st.Name, st.Run, r.sample(st))
		}
	} else {
		for _, one := range r.moved {
			if st := one.status; st != nil {
				s.o.Report(st.Name, st.Run, r.of(one))
			}
		}
		s.o.Repeat(at, r.since)
	}
	r.end()
}
