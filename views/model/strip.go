package model

import (
	"strconv"
	"strings"
	"time"

	"tend/services"
)

const (
	stripCell   = 10
	stripHeight = 20
)

// Strip is how well a server was, slot by slot. Each vigour has a height of
// its own, and broken a cross, so that no colour has to be told.
type Strip struct {
	Box    string // view box
	Cells  []StripCells
	Faults []string // where the crosses stand, in percent of the width
	Hits   []Hit    // the stretches that are worth a look
	Text   string
}

// StripCells is all cells of one vigour, as one path.
type StripCells struct{ Class, Path string }

// NewStrip shows the worst vigour in each of some slots of equal length
// between two instants, in the location of to. Samples and marks are in order,
// the oldest first.
func NewStrip(samples []services.Sample, marks []ChartMark, from, to time.Time, slots int) Strip {
	return newStrip(samples, marks, from, to, slots, false)
}

func newStrip(samples []services.Sample, marks []ChartMark, from, to time.Time, slots int, pointed bool) Strip {
	s := scale{from: from.In(to.Location()), span: to.Sub(from), width: float64(slots * stripCell), height: stripHeight}
	worst, spent := vigours(samples, from, to, slots)
	out := Strip{Box: "0 0 " + itoa(slots*stripCell) + " " + itoa(stripHeight), Text: stripText(spent, marks, from, to)}
	paths := make([][]byte, services.VigourBroken+1)
	for i, v := range worst {
		paths[v] = cell(paths[v], i, stripHeights[v])
	}
	for first, end := 0, 0; first < slots; first = end {
		v := worst[first]
		for end = first; end < slots && worst[end] == v; end++ {
		}
		if v == services.VigourBroken {
			out.Faults = append(out.Faults, s.percent(s.slotAt(first+end, 2*slots)))
		}
		if pointed && v != services.VigourUp && v != services.VigourNone {
			out.Hits = append(out.Hits, Hit{
				X: itoa(first * stripCell), Width: itoa((end - first) * stripCell),
				Text: s.stretch(s.slotAt(first, slots), s.slotAt(end, slots)) + ", " + vigourWords[v],
			})
		}
	}
	for v, path := range paths {
		if len(path) > 0 {
			out.Cells = append(out.Cells, StripCells{"cell-" + services.Vigour(v).String(), string(path)})
		}
	}
	return out
}

// StripSlots is how many minutes the strip of a row shows.
const StripSlots = 60

// RowStrip is the strip of a row of the overview.
type RowStrip struct {
	Cells []StripCells
	Text  string
}

// RowStripBox is the view box of every row's strip.
const RowStripBox = "0 0 60 20"

// NewRowStrip shows how well a server was, minute by minute, the oldest first.
func NewRowStrip(minutes [StripSlots]services.Vigour, now time.Time) RowStrip {
	var spent [services.VigourBroken + 1]time.Duration
	paths := make([][]byte, services.VigourBroken+1)
	for first, end := 0, 0; first < len(minutes); first = end {
		v := min(minutes[first], services.VigourBroken)
		for end = first; end < len(minutes) && minutes[end] == minutes[first]; end++ {
		}
		spent[v] += time.Duration(end-first) * time.Minute
		if v == services.VigourNone {
			continue
		}
		b := append(strconv.AppendInt(append(paths[v], 'M'), int64(first), 10), " 20v-"...)
		b = append(strconv.AppendInt(b, int64(stripHeights[v]), 10), 'h')
		b = append(strconv.AppendInt(b, int64(end-first), 10), 'v')
		paths[v] = append(strconv.AppendInt(b, int64(stripHeights[v]), 10), 'z')
	}
	out := RowStrip{Text: stripText(spent, nil, now.Add(-StripSlots*time.Minute), now)}
	for v, path := range paths {
		if len(path) > 0 {
			out.Cells = append(out.Cells, StripCells{"cell-" + services.Vigour(v).String(), string(path)})
		}
	}
	return out
}

// stripHeights are the heights of the cells, by vigour. Above a broken one is
// room for its cross.
var stripHeights = [...]int{1, 4, stripHeight, 11, 7}

var vigourWords = [...]string{"not known", "down", "well", "unhealthy", "broken"}

// cell adds a cell of a height to a path.
func cell(b []byte, i, height int) []byte {
	b = coord(append(b, 'M'), float64(i*stripCell)+1)
	b = coord(append(b, ' '), stripHeight)
	b = coord(append(b, "v-"...), float64(height))
	b = coord(append(b, "h8v"...), float64(height))
	return append(b, 'z')
}

// slotAt returns the instant at which the i-th of n slots begins.
func (s scale) slotAt(i, n int) time.Time {
	return s.from.Add(time.Duration(float64(s.span) * float64(i) / float64(n)))
}

// stretch says from when to when something held.
func (s scale) stretch(from, to time.Time) string {
	return stamp(from, s.span) + " to " + stamp(to, s.span)
}

// vigours returns the worst vigour in each slot, and how long each held.
func vigours(samples []services.Sample, from, to time.Time, slots int) (worst []services.Vigour, spent [services.VigourBroken + 1]time.Duration) {
	worst = make([]services.Vigour, slots)
	width := to.Sub(from) / time.Duration(slots)
	usual, limit := step(samples), patience(samples)
	for i := range samples {
		begin, end := samples[i].At.Time, to
		if i+1 < len(samples) {
			end = samples[i+1].At.Time
		}
		if end.Sub(begin) > limit {
			end = begin.Add(usual)
		}
		begin, end = latest(begin, from), earliest(end, to)
		if !begin.Before(end) {
			continue
		}
		v := min(samples[i].State, services.VigourBroken)
		spent[v] += end.Sub(begin)
		// A cell is for what covers its middle, and for what is shorter than it.
		own := int(begin.Add(end.Sub(begin)/2).Sub(from) / width)
		first := int((begin.Sub(from) + width/2) / width)
		last := int((end.Sub(from) - width/2) / width)
		if end.Sub(from) < width/2 {
			last = -1
		}
		for j := min(own, first); j <= max(own, last) && j < slots; j++ {
			worst[j] = max(worst[j], v)
		}
	}
	return worst, spent
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// stripText says the strip in words: "last hour: well 97 %, down 2 min,
// crashed once".
func stripText(spent [services.VigourBroken + 1]time.Duration, marks []ChartMark, from, to time.Time) string {
	text := strings.TrimPrefix(lately(to.Sub(from)), "the ") + ": "
	var known time.Duration
	for v, d := range spent {
		if services.Vigour(v) != services.VigourNone {
			known += d
		}
	}
	if known == 0 {
		return text + "nothing known"
	}
	well := int(100 * spent[services.VigourUp] / known)
	parts := []string{"well " + itoa(well) + " %"}
	for _, v := range []services.Vigour{services.VigourUnhealthy, services.VigourBroken, services.VigourDown} {
		if spent[v] > 0 {
			parts = append(parts, vigourWords[v]+" "+roughly(spent[v]))
		}
	}
	if unknown := to.Sub(from) - known; unknown > to.Sub(from)/100 {
		parts = append(parts, "not known "+roughly(unknown))
	}
	if crashed := count(marks, MarkCrash, from, to); crashed != "" {
		parts = append(parts, crashed)
	}
	return text + strings.Join(parts, ", ")
}

// roughly writes a duration in one unit.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return itoa(int(d.Round(time.Second)/time.Second)) + " s"
	case d < 2*time.Hour:
		return itoa(int(d.Round(time.Minute)/time.Minute)) + " min"
	case d < 2*oneDay:
		return itoa(int(d.Round(time.Hour)/time.Hour)) + " h"
	}
	return itoa(int(d.Round(oneDay)/oneDay)) + " days"
}
