package model

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxShown bounds how much of one line is shown, in bytes of the log.
const MaxShown = 8 << 10

// Run is a piece of a line in one style. Class is empty for plain text; every
// class is in static/css/ansi.css.
type Run struct{ Class, Text string }

// Painter turns lines of a log into text that is safe to show: colours become
// classes, other escape sequences go, what cannot be printed becomes visible.
// Colours last until they are changed, also over lines, so one Painter is for
// one stream of lines. The zero value is ready. Not for concurrent use.
type Painter struct{ style style }

// style is what SGR sequences set. Colours are 0 for the default, else one
// more than the number in the palette of 256.
type style struct {
	fg, bg                                          int
	bold, dim, italic, underline, reversed, crossed bool
}

// Line returns the pieces of one line, and how many bytes of it were left out.
func (p *Painter) Line(text []byte) (runs []Run, hidden int) {
	text = visiblePart(text)
	if len(text) > MaxShown {
		cut := MaxShown
		for cut > MaxShown-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
			cut--
		}
		hidden = len(text) - cut
		text = text[:cut]
	}
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			runs = append(runs, Run{p.style.class(), b.String()})
			b.Reset()
		}
	}
	for len(text) > 0 {
		if text[0] == 0x1b {
			n, sgr, isSGR := escape(text)
			if isSGR {
				before := p.style
				if p.style.apply(sgr); p.style != before {
					after := p.style
					p.style = before
					flush()
					p.style = after
				}
			}
			text = text[n:]
			continue
		}
		if n := literal(text); n > 0 {
			b.Write(text[:n])
			text = text[n:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		b.WriteRune(printable(r))
		text = text[n:]
	}
	flush()
	return runs, hidden
}

// literal is how many bytes at the beginning of text are shown as they are: most
// of most logs.
func literal(text []byte) int {
	for i, c := range text {
		if c < 0x20 && c != '\t' || c >= 0x7f {
			return i
		}
	}
	return len(text)
}

// visiblePart is what a terminal would still show of a line that a program
// wrote over with carriage returns, roughly: what came after the last of them.
func visiblePart(text []byte) []byte {
	for len(text) > 0 && text[len(text)-1] == '\r' {
		text = text[:len(text)-1]
	}
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '\r' {
			return text[i+1:]
		}
	}
	return text
}

// printable replaces what would be invisible, or would change the order in
// which the rest is read, by something that can be seen.
func printable(r rune) rune {
	switch {
	case r == '\t':
		return r
	case r < 0x20:
		return 0x2400 + r // the picture of this control character
	case r == 0x7f:
		return 0x2421
	case r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0xfeff:
		return utf8.RuneError
	}
	return r
}

// escape measures the escape sequence that text begins with. sgr holds the
// parameters of one that sets colours.
func escape(text []byte) (n int, sgr string, isSGR bool) {
	if len(text) < 2 {
		return len(text), "", false
	}
	switch text[1] {
	case '[':
		for i := 2; i < len(text); i++ {
			switch c := text[i]; {
			case c >= 0x40 && c <= 0x7e:
				return i + 1, string(text[2:i]), c == 'm'
			case c < 0x20 || c > 0x7e:
				return i, "", false // broken off: what follows is text
			}
		}
		return len(text), "", false
	case ']', 'P', '^', '_', 'X': // strings: titles, links, and what terminals understand
		for i := 2; i < len(text); i++ {
			if text[i] == 0x07 {
				return i + 1, "", false
			}
			if text[i] == 0x1b && i+1 < len(text) && text[i+1] == '\\' {
				return i + 2, "", false
			}
		}
		return len(text), "", false
	}
	i := 1
	for i < len(text)-1 && text[i] >= 0x20 && text[i] <= 0x2f {
		i++
	}
	if text[i] < 0x30 || text[i] > 0x7e {
		return i, "", false
	}
	return i + 1, "", false
}

// apply changes the style as the parameters of one SGR sequence say.
func (s *style) apply(params string) {
	fields := strings.Split(params, ";")
	for i := 0; i < len(fields); i++ {
		field := fields[i]
		if head, rest, colons := strings.Cut(field, ":"); colons {
			s.colons(head, rest)
			continue
		}
		code, err := strconv.Atoi(field)
		if field == "" {
			code, err = 0, nil
		}
		if err != nil {
			continue
		}
		if code == 38 || code == 48 {
			colour, used := extended(fields[i+1:])
			i += used
			if colour > 0 {
				s.paint(code, colour)
			}
			continue
		}
		s.code(code)
	}
}

// colons applies the form with colons: 38:5:n, 38:2:r:g:b, 38:2::r:g:b, 4:3.
func (s *style) colons(head, rest string) {
	code, _ := strconv.Atoi(head)
	parts := strings.Split(rest, ":")
	switch {
	case code == 4:
		s.underline = parts[0] != "0"
	case code == 38 || code == 48:
		if parts[0] == "2" && len(parts) >= 5 { // a colour space stands before the colour
			parts = append([]string{"2"}, parts[len(parts)-3:]...)
		}
		if colour, _ := extended(parts); colour > 0 {
			s.paint(code, colour)
		}
	}
}

func (s *style) paint(code, colour int) {
	if code == 38 {
		s.fg = colour
	} else {
		s.bg = colour
	}
}

// extended reads 5;n or 2;r;g;b. It returns one more than a number in the
// palette, 0 for nothing that can be understood, and how many fields it took.
func extended(fields []string) (colour, used int) {
	num := func(i int) int {
		if i >= len(fields) {
			return -1
		}
		n, err := strconv.Atoi(fields[i])
		switch {
		case fields[i] == "":
			return 0
		case err != nil || n < 0 || n > 255:
			return -1
		}
		return n
	}
	switch num(0) {
	case 5:
		return num(1) + 1, min(2, len(fields))
	case 2:
		r, g, b := num(1), num(2), num(3)
		used = min(4, len(fields))
		if r < 0 || g < 0 || b < 0 {
			return 0, used
		}
		return nearest(r, g, b) + 1, used
	}
	return 0, len(fields)
}

// nearest returns the colour of the palette that is nearest to a true colour:
// one of the cube of 6, or one of the 24 greys.
func nearest(r, g, b int) int {
	level := func(v int) (index, value int) {
		if v < 48 {
			return 0, 0
		}
		index = max(1, min(5, (v-35)/40))
		return index, 55 + index*40
	}
	ri, rv := level(r)
	gi, gv := level(g)
	bi, bv := level(b)
	grey := max(0, min(23, ((r+g+b)/3-3)/10))
	tone := 8 + grey*10
	square := func(a, b int) int { return (a - b) * (a - b) }
	if square(r, tone)+square(g, tone)+square(b, tone) < square(r, rv)+square(g, gv)+square(b, bv) {
		return 232 + grey
	}
	return 16 + 36*ri + 6*gi + bi
}

func (s *style) code(code int) {
	switch {
	case code == 0:
		*s = style{}
	case code == 1:
		s.bold = true
	case code == 2:
		s.dim = true
	case code == 3:
		s.italic = true
	case code == 4, code == 21:
		s.underline = true
	case code == 7:
		s.reversed = true
	case code == 9:
		s.crossed = true
	case code == 22:
		s.bold, s.dim = false, false
	case code == 23:
		s.italic = false
	case code == 24:
		s.underline = false
	case code == 27:
		s.reversed = false
	case code == 29:
		s.crossed = false
	case code >= 30 && code <= 37:
		s.fg = code - 30 + 1
	case code == 39:
		s.fg = 0
	case code >= 40 && code <= 47:
		s.bg = code - 40 + 1
	case code == 49:
		s.bg = 0
	case code >= 90 && code <= 97:
		s.fg = code - 90 + 8 + 1
	case code >= 100 && code <= 107:
		s.bg = code - 100 + 8 + 1
	}
}

// class returns the names of the classes for the style.
func (s style) class() string {
	fg, bg := s.fg, s.bg
	var names []string
	if s.reversed {
		fg, bg = bg, fg
		if fg == 0 {
			names = append(names, "a-ground")
		}
		if bg == 0 {
			names = append(names, "a-figure")
		}
	}
	if fg > 0 {
		names = append(names, "f"+itoa(fg-1))
	}
	if bg > 0 {
		names = append(names, "g"+itoa(bg-1))
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{
		{s.bold, "a-bold"}, {s.dim, "a-dim"}, {s.italic, "a-italic"}, {s.underline, "a-line"}, {s.crossed, "a-cross"},
	} {
		if flag.on {
			names = append(names, flag.name)
		}
	}
	return strings.Join(names, " ")
}
