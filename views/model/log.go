package model

import (
	"strconv"
	"time"
)

// Output is some lines of a log on the screen.
type Output struct {
	ID     string // of the server
	Lines  []Line
	After  string // the address of what follows
	Stream string // address of the stream that goes on from there
	Error  string // why the log cannot be shown, a sentence
}

// Line is one line of a log.
type Line struct {
	Runs   []Run
	Hidden string // how much of it is not shown, "" for nothing
	Clock  string // the time of day in the zone of the manager, "" where it is not known
	At     string // the same in milliseconds since 1970
	Open   bool   // it has no end yet: the next one continues it
	Joins  bool   // it continues the one before
	Gap    bool   // lines before it were skipped
}

func stampOf(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

// LineOf puts a line of a log on the screen. cut says that the log's reader
// has left out its end already.
func (p *Painter) LineOf(text []byte, cut bool, at time.Time) Line {
	runs, hidden := p.Line(text)
	out := Line{Runs: runs}
	switch {
	case cut:
		out.Hidden = "… the line goes on"
	case hidden > 0:
		out.Hidden = "… " + itoa(hidden) + " more bytes"
	}
	if !at.IsZero() {
		out.Clock, out.At = at.Local().Format(clock), stampOf(at)
	}
	return out
}
