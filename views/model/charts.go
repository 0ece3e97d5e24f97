package model

import (
	"time"

	"tend/services"
)

// Charts is what a server used over a range of time, on its page.
type Charts struct {
	Server string
	ID     string // of the section
	Path   string // of the page, without its query
	Ranges []RangeLink
	Health Strip
	Charts []Chart
	Signs  []MarkSign // what the marks on the charts are
	Table  Table
	Empty  string // a sentence where there is nothing to draw, else ""
}

// URL is the address of the page with the range that is shown.
func (c Charts) URL() string {
	for _, r := range c.Ranges {
		if r.Current {
			return r.URL
		}
	}
	return c.Path
}

// RangeLink is one range that can be chosen.
type RangeLink struct {
	ID, Label, Title, URL string
	Current               bool
}

// MarkSign is a kind of mark and its word.
type MarkSign struct {
	Kind MarkKind
	Word string
}

// NewCharts draws the range that ends now, in the location of now. Samples and
// marks are in order, the oldest first; those outside of the range do no harm.
func NewCharts(server string, r Range, samples []services.Sample, marks []ChartMark, now time.Time) Charts {
	out := Charts{Server: server, ID: "charts-" + server, Path: "/servers/" + server}
	for _, one := range Ranges {
		out.Ranges = append(out.Ranges, RangeLink{
			ID: "range-" + string(one), Label: one.Label(), Title: "Show " + lately(one.Span()),
			URL: out.Path + "?range=" + string(one), Current: one == r,
		})
	}
	from := now.Add(-r.Span())
	seen, measured := false, false
	for i := range samples {
		if s := &samples[i]; !s.At.Before(from) && !s.At.After(now) {
			seen, measured = true, measured || ran(s)
		}
	}
	switch {
	case !seen:
		out.Empty = "Nothing measured yet: the first point comes within 15 seconds."
		return out
	case !measured:
		out.Empty = "It did not run in " + lately(r.Span()) + "."
	}
	out.Health = newStrip(samples, marks, from, now, int(r.Span()/r.slot()), true)
	if !measured {
		return out
	}
	c := newCanvas(r, samples, marks, now)
	out.Charts = []Chart{
		c.chart("cpu-"+server, MeasureCPU.Name(), "Percent of a core: two busy cores are 200 %", MeasureCPU),
		c.chart("memory-"+server, MeasureMemory.Name(), "Of all its processes together", MeasureMemory),
		c.chart("disk-"+server, "Disk", "What really went to storage and came from it, not to and from caches", MeasureRead, MeasureWrite),
	}
	out.Signs = signs(c.marks)
	out.Table = c.table()
	return out
}

func signs(marks []Mark) []MarkSign {
	there := make(map[MarkKind]bool)
	for _, m := range marks {
		there[m.Kind] = true
	}
	var out []MarkSign
	for _, kind := range []MarkKind{MarkCrash, MarkStart, MarkStop} {
		if there[kind] {
			out = append(out, MarkSign{kind, markWords[kind][0]})
		}
	}
	return out
}
