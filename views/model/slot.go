package model

import (
	"slices"
	"time"

	"tend/services"
)

// slot is what was measured between two instants.
type slot struct {
	from, to time.Time
	gauges   [measures]gauge
	torn     bool // something is missing right before the first measurement
	rolled   bool // a measurement stands for a span, with a peak of its own

	seen time.Duration // sum of when the measurements were, after from
	n    int
}

// gauge gathers the values of one measure.
type gauge struct {
	sum, peak float64
	n         int
}

func (g *gauge) add(mean, peak float64) {
	g.sum, g.peak, g.n = g.sum+mean, max(g.peak, peak), g.n+1
}

func (g *gauge) mean() float64 { return g.sum / float64(g.n) }

// at is the middle of the measurements of a slot that has some.
func (s *slot) at() time.Time { return s.from.Add(s.seen / time.Duration(s.n)) }

// fold puts samples, the oldest first, into the slots between bounds. Those
// before the first bound and after the last are left out.
func fold(samples []services.Sample, bounds []time.Time) []slot {
	slots := make([]slot, len(bounds)-1)
	for i := range slots {
		slots[i].from, slots[i].to = bounds[i], bounds[i+1]
	}
	limit := patience(samples)
	end := bounds[len(bounds)-1]
	var before time.Time
	torn := false
	for i, at := 0, 0; i < len(samples); i++ {
		s := &samples[i]
		switch when := s.At.Time; {
		case when.Before(bounds[0]) || when.After(end):
			continue
		case !before.IsZero() && when.Sub(before) > limit:
			torn = true
		}
		before = s.At.Time
		if !ran(s) {
			torn = true
			continue
		}
		for at < len(slots)-1 && !s.At.Before(slots[at].to) {
			at++
		}
		slots[at].add(s, torn)
		torn = false
	}
	return slots
}

func (s *slot) add(sample *services.Sample, torn bool) {
	s.torn = s.torn || torn
	s.seen += sample.At.Sub(s.from)
	s.n++
	for m := range measures {
		mean, peak, known := Measure(m).of(sample)
		if known {
			s.gauges[m].add(mean, peak)
			s.rolled = s.rolled || peak > mean
		}
	}
}

// patience is how far two samples are from each other at most when nothing is
// missing between them.
func patience(samples []services.Sample) time.Duration {
	return step(samples) * 7 / 4
}

// step is how far samples usually are from each other.
func step(samples []services.Sample) time.Duration {
	const looked = 64
	var gaps []time.Duration
	stride := max(1, len(samples)/looked)
	for i := stride; i < len(samples); i += stride {
		gaps = append(gaps, samples[i].At.Sub(samples[i-1].At.Time))
	}
	if len(gaps) == 0 {
		return services.FineStep
	}
	slices.Sort(gaps)
	return max(gaps[(len(gaps)-1)/2], services.FineStep)
}
