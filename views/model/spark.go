package model

import (
	"time"

	"tend/services"
)

const (
	sparkWidth   = 96
	sparkHeight  = 20
	sparkColumns = 40
)

// SparkBox is the view box of every spark.
const SparkBox = "0 0 96 20"

// Spark is a measure as a picture of the size of a word.
type Spark struct {
	Area, Line  string // paths
	DotX, DotY  string // the value now, "" where nothing is measured now
	Value, Text string // the value, and everything in words
	Empty       bool
}

// NewSpark draws what lies between two instants, in the location of to. The
// samples are in order, the oldest first.
func NewSpark(samples []services.Sample, m Measure, from, to time.Time) Spark {
	span := to.Sub(from)
	r := m.read(samples, from, to)
	out := Spark{
		Value: r.value(), Empty: !r.known,
		Text: m.Name() + " over " + lately(span) + ": " + r.sentence(span),
	}
	if !r.known {
		return out
	}
	s := scale{from: from, span: span, top: max(r.peak, m.sparkFloor()), width: sparkWidth, height: sparkHeight, inset: 2}
	traces := s.traces(fold(samples, grid(from, to, span/sparkColumns)), func(one *slot) (float64, bool) {
		g := &one.gauges[m]
		return g.mean(), g.n > 0
	})
	for _, trace := range traces {
		for i := range trace {
			trace[i].x = min(trace[i].x, sparkWidth-2) // room for the dot
		}
	}
	out.Line, out.Area = line(traces), area(traces, sparkHeight)
	if r.now {
		last := traces[len(traces)-1]
		end := last[len(last)-1]
		out.DotX, out.DotY = string(coord(nil, end.x)), string(coord(nil, end.y))
	}
	return out
}

// Plain is a spark without a picture.
func Plain(s *services.Sample, m Measure) Spark {
	if s == nil {
		return Spark{Empty: true}
	}
	v, _, known := m.of(s)
	if !known {
		return Spark{Empty: true}
	}
	return Spark{Value: m.Format(v)}
}

// sparkFloor is the lowest top of a spark, which has no labels: what is little
// has to look little.
func (m Measure) sparkFloor() float64 {
	switch m {
	case MeasureCPU:
		return 50
	case MeasureMemory:
		return 64 << 20
	}
	return 1 << 20
}
