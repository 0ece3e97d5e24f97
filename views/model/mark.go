package model

import (
	"slices"
	"time"

	"tend/services"
)

// MarkKind is what happened at a mark.
type MarkKind string

// The kinds of marks.
const (
	MarkCrash MarkKind = "crash"
	MarkStart MarkKind = "start"
	MarkStop  MarkKind = "stop"
)

// ChartMark is something that happened to a server, for its charts.
type ChartMark struct {
	At   time.Time
	Kind MarkKind
	Text string // what exactly, a part of a sentence; may be empty
}

// MarksOf returns what of the events about one server is marked, the oldest
// first.
func MarksOf(events []services.Event) []ChartMark {
	var out []ChartMark
	for _, e := range events {
		kind := MarkStart
		switch {
		case e.Kind == services.EventExited && e.Crash:
			kind = MarkCrash
		case e.Kind == services.EventExited:
			kind = MarkStop
		case e.Kind != services.EventStarted:
			continue
		}
		out = append(out, ChartMark{At: e.At.Time, Kind: kind, Text: e.Message})
	}
	slices.SortStableFunc(out, func(a, b ChartMark) int { return a.At.Compare(b.At) })
	return out
}

// Mark is a sign on a chart.
type Mark struct {
	Kind MarkKind
	X    string // in percent of the width
	Text string
}

var markWords = map[MarkKind][2]string{
	MarkCrash: {"crashed", "crashes"},
	MarkStart: {"started", "starts"},
	MarkStop:  {"ended", "ends"},
}

// crowd is the part of the width in which marks of a kind become one.
const crowd = 0.012

// marksOn places marks, the oldest first. Those that would cover each other
// become one, which says how many they are.
func (s scale) marksOn(marks []ChartMark) []Mark {
	var out []Mark
	for _, kind := range []MarkKind{MarkStart, MarkStop, MarkCrash} {
		var near []ChartMark
		flush := func() {
			if len(near) > 0 {
				middle := near[0].At.Add(near[len(near)-1].At.Sub(near[0].At) / 2)
				out = append(out, Mark{Kind: kind, X: s.percent(middle), Text: s.markText(near)})
				near = nil
			}
		}
		for _, m := range marks {
			if m.Kind != kind || m.At.Before(s.from) || m.At.After(s.from.Add(s.span)) {
				continue
			}
			if len(near) > 0 && float64(m.At.Sub(near[0].At)) > crowd*float64(s.span) {
				flush()
			}
			near = append(near, m)
		}
		flush()
	}
	return out
}

func (s scale) markText(near []ChartMark) string {
	first, last := near[0], near[len(near)-1]
	words := markWords[first.Kind]
	at := stamp(first.At.In(s.from.Location()), s.span)
	if len(near) == 1 {
		if first.Text == "" {
			return at + ": " + words[0]
		}
		return at + ": " + first.Text
	}
	text := at + ": " + itoa(len(near)) + " " + words[1]
	if last.Text != "" {
		text += ", the last: " + last.Text
	}
	return text
}

// count says how often something of a kind happened since an instant: "crashed
// twice", "" for never.
func count(marks []ChartMark, kind MarkKind, from, to time.Time) string {
	n := 0
	for _, m := range marks {
		if m.Kind == kind && !m.At.Before(from) && !m.At.After(to) {
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return markWords[kind][0] + " once"
	case 2:
		return markWords[kind][0] + " twice"
	}
	return markWords[kind][0] + " " + itoa(n) + " times"
}
