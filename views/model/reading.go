package model

import (
	"time"

	"tend/services"
)

// reading is what there is to say about a measure in one sentence.
type reading struct {
	measure Measure
	known   bool // anything was measured
	now     bool // it still is
	last    float64
	peak    float64
	peakAt  time.Time
}

// read looks at the samples, the oldest first, that lie between two instants.
func (m Measure) read(samples []services.Sample, from, to time.Time) reading {
	out := reading{measure: m}
	limit := patience(samples)
	for i := range samples {
		s := &samples[i]
		if s.At.Before(from) || s.At.After(to) {
			continue
		}
		mean, peak, known := m.of(s)
		out.now = known && to.Sub(s.At.Time) <= limit
		if !known {
			continue
		}
		out.last = mean
		if !out.known || peak > out.peak {
			out.peak, out.peakAt = peak, s.At.In(to.Location())
		}
		out.known = true
	}
	return out
}

// value is the value now.
func (r reading) value() string {
	if !r.now {
		return "–"
	}
	return r.measure.Format(r.last)
}

// highest is the peak, "" where nothing was measured.
func (r reading) highest() string {
	if !r.known {
		return ""
	}
	return "highest " + r.measure.Format(r.peak)
}

// when is the time of the peak, to go on from highest.
func (r reading) when(span time.Duration) string {
	if !r.known {
		return ""
	}
	return " at " + stamp(r.peakAt, span)
}

// sentence says both.
func (r reading) sentence(span time.Duration) string {
	switch {
	case !r.known:
		return "nothing measured"
	case !r.now:
		return "not measured now, " + r.highest() + r.when(span)
	}
	return "now " + r.value() + ", " + r.highest() + r.when(span)
}
