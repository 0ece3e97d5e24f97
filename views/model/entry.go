package model

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Entry is one line in the view of logs: a line with a place of its own.
type Entry struct {
	Line
	Place  string // its permanent address, by which a link finds it
	Link   string // the address of a page round it
	Full   string // when it was noticed, with date and zone
	Server string // its name where lines of several are shown, else ""
	Color  int    // of the name, below EntryColors
	Level  Level
	Parsed bool    // Level is not in the text: the line was an object of JSON
	Fields []Field // the rest of such an object
	Hit    bool    // the search finds something in it
}

// Field is one field of a line that was an object of JSON.
type Field struct {
	Name string
	Runs []Run
}

// EntryColors is how many colors there are for the names of servers.
const EntryColors = 8

// Writer puts the lines of one log into a view. Mark is what to highlight, nil
// for nothing. The zero value is ready. Not for concurrent use.
type Writer struct {
	Mark    *regexp.Regexp
	painter Painter
	levels  Leveler
}

// Entry is one line, as it was written. cut says that the reader of the log
// has left out its end already.
func (w *Writer) Entry(text []byte, cut bool, at time.Time) Entry {
	level := w.levels.Of(text)
	var e Entry
	object, ok := object{}, false
	if !cut {
		object, ok = objectOf(text)
	}
	if ok {
		e.Parsed = true
		e.Runs, e.Hidden = w.message(object.message)
		left := MaxShown
		for _, f := range object.fields {
			value := shorten(f.value, min(maxField, left))
			left -= len(value)
			runs, _ := w.message(value)
			e.Fields = append(e.Fields, Field{shorten(f.name, 100), runs})
		}
		if !at.IsZero() {
			e.Clock, e.At = at.Local().Format(clock), stampOf(at)
		}
	} else {
		e.Line = w.painter.LineOf(text, cut, at)
	}
	e.Level = level
	if w.Mark != nil {
		e.Hit = w.Mark.Match(text)
		e.Runs = mark(e.Runs, w.Mark)
		for i := range e.Fields {
			e.Fields[i].Runs = mark(e.Fields[i].Runs, w.Mark)
		}
	}
	if !at.IsZero() {
		e.Full = at.Local().Format(full)
	}
	return e
}

// message paints text that may have several lines.
func (w *Writer) message(text string) (runs []Run, hidden string) {
	if more := len(text) - MaxShown; more > 0 {
		text = shorten(text, MaxShown)
		hidden = "… " + itoa(more) + " more bytes"
	}
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			runs = append(runs, Run{Text: "\n"})
		}
		more, _ := w.painter.Line([]byte(line))
		runs = append(runs, more...)
	}
	return runs, hidden
}

// shorten returns at most n bytes of whole runes, and says where it left out
// some.
func shorten(text string, n int) string {
	if len(text) <= n {
		return text
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

// mark sets off what a pattern finds in the text of some runs, also where it
// reaches over several.
func mark(runs []Run, pattern *regexp.Regexp) []Run {
	var whole strings.Builder
	for _, run := range runs {
		whole.WriteString(run.Text)
	}
	found := pattern.FindAllStringIndex(whole.String(), maxMarks)
	if len(found) == 0 {
		return runs
	}
	var out []Run
	at := 0
	for _, run := range runs {
		end := at + len(run.Text)
		for at < end {
			for len(found) > 0 && (found[0][1] <= at || found[0][0] == found[0][1]) {
				found = found[1:]
			}
			piece, marked := end, false
			if len(found) > 0 {
				switch {
				case found[0][0] > at:
					piece = min(end, found[0][0])
				default:
					piece, marked = min(end, found[0][1]), true
				}
			}
			class := run.Class
			if marked {
				class = strings.TrimSpace(class + " hit")
			}
			from := len(run.Text) - (end - at)
			out = append(out, Run{Class: class, Text: run.Text[from : from+piece-at]})
			at = piece
		}
	}
	return out
}

// maxMarks bounds what is set off in one line.
const maxMarks = 200
