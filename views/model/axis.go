package model

import "math"

// axis is a scale from 0 to top in equal steps that people can count in.
type axis struct {
	top    float64
	labels []string // from the top down to 0, evenly spaced
}

// maxSteps is how many steps an axis has at most: more labels than five are
// not read.
const maxSteps = 4

// headroom is how much more than the peak has to fit.
const headroom = 1.05

// axisOf returns an axis on which peak fits. It never ends so low that an idle
// server would look busy.
func (m Measure) axisOf(peak float64) axis {
	if m != MeasureCPU {
		peak *= headroom // a flat line along the upper edge looks like a limit
	}
	peak = max(peak, m.floor())
	step, unit, word := m.step(peak)
	n := int(math.Ceil(peak / step))
	out := axis{top: float64(n) * step}
	for i := n; i > 0; i-- {
		out.labels = append(out.labels, short(float64(i)*step/unit)+" "+word)
	}
	out.labels = append(out.labels, "0")
	return out
}

// floor is the lowest top of an axis.
func (m Measure) floor() float64 {
	switch m {
	case MeasureCPU:
		return 20
	case MeasureMemory:
		return 16 << 20
	}
	return 256 << 10
}

// step returns the smallest handy step for a peak, and the unit that all the
// labels share.
func (m Measure) step(peak float64) (step, unit float64, word string) {
	if m == MeasureCPU {
		for decade := 1.0; ; decade *= 10 {
			for _, lead := range [...]float64{5, 10, 25} {
				if step := lead * decade; peak <= maxSteps*step {
					return step, 1, "%"
				}
			}
		}
	}
	step = math.Exp2(math.Ceil(math.Log2(peak / maxSteps)))
	power := min(int(math.Log2(step))/10, len(byteUnits)-1)
	return step, math.Exp2(float64(10 * power)), byteUnits[power]
}
