package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"tend/services"
)

// table is text in columns. Colours do not count for their width. The zero
// table is empty; its first row has begun.
type table struct {
	rows [][]cell
}

type cell struct {
	text   string
	colour func(string) string // nil for none
}

// row begins a row.
func (t *table) row() { t.rows = append(t.rows, nil) }

// cell adds a cell to the last row.
func (t *table) cell(text string, colour func(string) string) {
	if len(t.rows) == 0 {
		t.row()
	}
	last := &t.rows[len(t.rows)-1]
	*last = append(*last, cell{services.OneLine(text), colour})
}

// print writes the table. The last cell of a row is not padded.
func (t *table) print(out io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	w := bufio.NewWriter(out)
	for _, row := range t.rows {
		for i, c := range row {
			text := c.text
			if c.colour != nil {
				text = c.colour(text)
			}
			w.WriteString(text) //nolint:errcheck // Flush tells
			if i < len(row)-1 {
				w.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)+2)) //nolint:errcheck // likewise
			}
		}
		w.WriteByte('\n') //nolint:errcheck // likewise
	}
	return w.Flush()
}

// painter colours words that say the same without colour.
type painter struct{ on bool }

func (p painter) in(code string) func(string) string {
	if !p.on {
		return nil
	}
	return func(s string) string { return "\x1b[" + code + "m" + s + "\x1b[0m" }
}

func (p painter) title(s string) string {
	if !p.on {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// state is green where all is well, red where a person is needed, yellow
// between the two.
func (p painter) state(s services.Status) func(string) string {
	switch {
	case s.Orphaned, s.Phase == services.Failed:
		return p.in("31")
	case s.Phase == services.Running:
		return p.in("32")
	case s.Phase == services.Stopped, s.Phase == services.Exited:
		return p.in("2")
	}
	return p.in("33")
}

func (p painter) health(healthy *bool) func(string) string {
	switch {
	case healthy == nil:
		return nil
	case *healthy:
		return p.in("32")
	}
	return p.in("31")
}

// coloured reports whether whoever reads out wants colours.
func coloured(out io.Writer) bool {
	return terminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// terminal reports whether out is read by a person.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
