package model

import (
	"math"
	"strconv"
	"time"
)

// scale places instants and values in a picture of a width and a height.
type scale struct {
	from          time.Time
	span          time.Duration
	top           float64 // the value at the upper edge
	width, height float64
	inset         float64 // room for the stroke at the upper and lower edge
}

func (s scale) x(at time.Time) float64 {
	return s.width * float64(at.Sub(s.from)) / float64(s.span)
}

func (s scale) y(v float64) float64 {
	share := min(1, max(0, v/s.top))
	return s.height - s.inset - share*(s.height-2*s.inset)
}

// percent writes where an instant is, in percent of the width.
func (s scale) percent(at time.Time) string {
	return string(coord(nil, 100*float64(at.Sub(s.from))/float64(s.span))) + "%"
}

// point is a place in a picture.
type point struct{ x, y float64 }

// traces returns the lines of a measure: one for each stretch without a gap.
func (s scale) traces(slots []slot, value func(*slot) (float64, bool)) [][]point {
	var out [][]point
	joined := false
	for i := range slots {
		one := &slots[i]
		v, known := value(one)
		if !known {
			joined = joined && one.n == 0 // whether an empty slot is a gap says the next sample
			continue
		}
		if !joined || one.torn {
			out = append(out, nil)
		}
		last := &out[len(out)-1]
		*last = append(*last, point{s.x(one.at()), s.y(v)})
		joined = true
	}
	return out
}

// dots returns the path of what no line shows, the points without a
// neighbour, and of the last point of all where that is the value now.
func dots(traces [][]point, now bool) string {
	var b []byte
	for i, trace := range traces {
		if end := trace[len(trace)-1]; len(trace) == 1 || now && i == len(traces)-1 {
			b = coord(append(coord(append(b, 'M'), end.x), ' '), end.y)
			b = append(b, "h0"...)
		}
	}
	return string(b)
}

// line returns the path along points.
func line(traces [][]point) string {
	var b []byte
	for _, trace := range traces {
		if len(trace) > 1 {
			b = along(append(b, 'M'), trace)
		}
	}
	return string(b)
}

// area returns the path around what is under points.
func area(traces [][]point, bottom float64) string {
	var b []byte
	for _, trace := range traces {
		if len(trace) < 2 {
			continue
		}
		b = coord(append(b, 'M'), trace[0].x)
		b = coord(append(b, ' '), bottom)
		b = along(append(b, 'L'), trace)
		b = append(coord(append(b, 'V'), bottom), 'z')
	}
	return string(b)
}

// along writes points, without those in the middle of a level stretch.
func along(b []byte, trace []point) []byte {
	for i, p := range trace {
		if i > 0 && i < len(trace)-1 && tenths(trace[i-1].y) == tenths(p.y) && tenths(p.y) == tenths(trace[i+1].y) {
			continue
		}
		if i > 0 {
			b = append(b, ' ')
		}
		b = coord(append(coord(b, p.x), ' '), p.y)
	}
	return b
}

func tenths(v float64) int64 { return int64(math.Round(v * 10)) }

// coord writes a number with one decimal at most.
func coord(b []byte, v float64) []byte {
	n := tenths(v)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/10, 10)
	if n%10 != 0 {
		b = append(b, '.', byte('0'+n%10))
	}
	return b
}
