package model

import (
	"slices"
	"time"
)

// Table is the charts in numbers, the newest row first, without those in which
// nothing was measured.
type Table struct {
	Caption string
	Rows    []TableRow
}

// TableRow is one span of time. A value that was not measured is empty.
type TableRow struct {
	When   string    // when it begins
	Values [6]string // CPU and its peak, memory and its peak, read, write
}

// maxRows is how many rows a table has at most.
const maxRows = 24

func (c *canvas) table() Table {
	out := Table{Caption: "What was used over " + lately(c.span) + ", by the time at which each row begins"}
	layout := "15:04"
	if c.span > oneDay {
		layout = "Mon 2 Jan"
	}
	for _, one := range fold(c.samples, c.rowBounds()) {
		if one.n == 0 {
			continue
		}
		row := TableRow{When: one.from.Format(layout)}
		for i, m := range [...]Measure{MeasureCPU, MeasureCPU, MeasureMemory, MeasureMemory, MeasureRead, MeasureWrite} {
			g := &one.gauges[m]
			switch {
			case g.n == 0:
			case i == 1 || i == 3:
				row.Values[i] = m.Format(g.peak)
			default:
				row.Values[i] = m.Format(g.mean())
			}
		}
		out.Rows = append(out.Rows, row)
	}
	slices.Reverse(out.Rows)
	out.Rows = out.Rows[:min(len(out.Rows), maxRows)]
	return out
}

// rowBounds returns where the rows begin and end: at round times, days where
// the range is long.
func (c *canvas) rowBounds() []time.Time {
	every := 1
	switch c.r {
	case RangeHour:
		return grid(c.from, c.to, 5*time.Minute)
	case RangeDay:
		return grid(c.from, c.to, time.Hour)
	case RangeMonth:
		every = 2
	}
	bounds := []time.Time{c.from}
	for i, day := range days(c.from, c.to) {
		if day.begin.After(c.from) && day.begin.Before(c.to) && i%every == 0 {
			bounds = append(bounds, day.begin)
		}
	}
	return append(bounds, c.to)
}
