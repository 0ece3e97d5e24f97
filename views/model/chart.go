package model

import (
	"strings"
	"time"

	"tend/services"
)

// The picture of a chart in its own units. It is stretched to the room there
// is; whatever must keep its shape is placed in percent.
const (
	chartWidth   = 1440
	chartHeight  = 400
	chartColumns = 288
)

// ChartBox is the view box of every chart.
const ChartBox = "0 0 1440 400"

// Chart is one measure, or two that belong together, over a range.
type Chart struct {
	ID      string // prefix of the ids of its elements
	Title   string
	Hint    string // what the values are
	Desc    string // the chart in words
	Blank   string // said in the middle where there is no line, else ""
	Series  []Series
	Labels  []string // of the values, from the top down, evenly spaced
	Rules   string   // path of the lines across
	Columns string   // path of the lines upwards, where the ticks are
	Ticks   []TimeTick
	Marks   []Mark
	Hits    []Hit
}

// Series is one line of a chart.
type Series struct {
	Name    string // "" for the only one
	Value   string // now
	Highest string // the peak, "" where nothing was measured
	When    string // it was, to go on from Highest
	Class   string // what it looks like
	Filled  bool   // it has an area: two series are told apart without colours
	Area    string // path, "" for none
	Line    string // path
	Peak    string // path of the peaks, "" where they are not known
	Dots    string // path of the points without a neighbour, and of the value now
}

// Hit is a place to point at.
type Hit struct{ X, Width, Text string }

// canvas is what the charts of one range share.
type canvas struct {
	scale
	r       Range
	to      time.Time
	samples []services.Sample
	columns []slot // fine, for lines
	places  []slot // coarse, to point at
	ticks   []tick
	marks   []Mark
	counts  string // what the marks are, in words
}

func newCanvas(r Range, samples []services.Sample, marks []ChartMark, now time.Time) *canvas {
	from := now.Add(-r.Span())
	c := &canvas{
		scale: scale{from: from, span: r.Span(), width: chartWidth, height: chartHeight, inset: 2},
		r:     r, to: now, samples: samples,
		columns: fold(samples, grid(from, now, r.Span()/chartColumns)),
		places:  fold(samples, grid(from, now, r.slot())),
		ticks:   r.ticks(from, now),
	}
	c.marks = c.marksOn(marks)
	var said []string
	for _, kind := range []MarkKind{MarkCrash, MarkStart} {
		if text := count(marks, kind, from, now); text != "" {
			said = append(said, text)
		}
	}
	c.counts = strings.Join(said, ", ")
	return c
}

// chart draws some measures on one scale.
func (c *canvas) chart(id, title, hint string, list ...Measure) Chart {
	out := Chart{ID: id, Title: title, Hint: hint, Marks: c.marks}
	readings := make([]reading, len(list))
	var top float64
	for i, m := range list {
		readings[i] = m.read(c.samples, c.from, c.to)
		top = max(top, c.highest(m))
	}
	y := list[0].axisOf(top)
	s := c.scale
	s.top = y.top
	out.Labels, out.Rules = y.labels, s.rules(len(y.labels))
	var said []string
	for i, m := range list {
		one := s.series(m, c.columns, len(list) == 1, readings[i].now)
		one.Class = [...]string{"series-1", "series-2"}[i]
		one.Value, one.Highest, one.When = readings[i].value(), readings[i].highest(), readings[i].when(c.span)
		if one.Filled = i == 0; !one.Filled {
			one.Area = ""
		}
		words := readings[i].sentence(c.span)
		if len(list) > 1 {
			one.Name = strings.ToLower(m.Name())
			words = one.Name + " " + words
		}
		out.Series, said = append(out.Series, one), append(said, words)
	}
	out.Desc = title + " over " + lately(c.span) + ": " + strings.Join(said, "; ") + "."
	if c.counts != "" {
		out.Desc += " The server " + c.counts + "."
	}
	out.Columns, out.Ticks = c.timeAxis()
	if out.Hits = c.hits(list); len(out.Hits) == 0 {
		out.Blank = "not measured"
	}
	return out
}

// highest is the largest value that is drawn: peaks only where they are.
func (c *canvas) highest(m Measure) float64 {
	var top float64
	for i := range c.columns {
		top = max(top, c.columns[i].gauges[m].peak)
	}
	return top
}

func (s scale) series(m Measure, slots []slot, peaks, now bool) Series {
	rolled := false
	means := s.traces(slots, func(one *slot) (float64, bool) {
		g := &one.gauges[m]
		rolled = rolled || g.n > 0 && tenths(s.y(g.peak)) != tenths(s.y(g.mean()))
		return g.mean(), g.n > 0
	})
	out := Series{Line: line(means), Area: area(means, s.height), Dots: dots(means, now)}
	if peaks && rolled {
		out.Peak = line(s.traces(slots, func(one *slot) (float64, bool) { return one.gauges[m].peak, one.gauges[m].n > 0 }))
	}
	return out
}

// rules returns the lines across, one for each label but the one at the foot.
func (s scale) rules(labels int) string {
	var b []byte
	for i := range labels - 1 {
		b = coord(append(b, "M0 "...), s.y(s.top*float64(labels-1-i)/float64(labels-1)))
		b = coord(append(b, 'H'), s.width)
	}
	return string(b)
}

// timeAxis returns the path of the lines upwards, and the labels.
func (c *canvas) timeAxis() (string, []TimeTick) {
	var b []byte
	var out []TimeTick
	for _, t := range c.ticks {
		x := c.x(t.at)
		b = coord(append(b, 'M'), x)
		b = coord(append(b, " 0V"...), c.height)
		anchor := "middle"
		switch {
		case x < 0.04*c.width:
			anchor = "start"
		case x > 0.96*c.width:
			anchor = "end"
		}
		moved := anchor != "middle" // towards its neighbour
		out = append(out, TimeTick{X: c.percent(t.at), Label: t.label, Anchor: anchor, Minor: t.minor || moved})
	}
	return string(b), out
}

// hits returns the places to point at: those where something was measured.
func (c *canvas) hits(list []Measure) []Hit {
	out := make([]Hit, 0, len(c.places))
	for i := range c.places {
		place := &c.places[i]
		text := ""
		for _, m := range list {
			if g := &place.gauges[m]; g.n > 0 {
				text += placeText(m, g, len(list) > 1)
			}
		}
		if text == "" {
			continue
		}
		x := c.x(place.from)
		out = append(out, Hit{
			X: string(coord(nil, x)), Width: string(coord(nil, c.x(place.to)-x)),
			Text: stamp(place.from, c.span) + text,
		})
	}
	return out
}

func placeText(m Measure, g *gauge, named bool) string {
	mean, peak := m.Format(g.mean()), m.Format(g.peak)
	if named {
		return ", " + strings.ToLower(m.Name()) + " " + mean
	}
	if mean == peak {
		return ", " + mean
	}
	return ", " + mean + ", highest " + peak
}
