package model_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tend/views/model"
)

// plain writes runs as class{text}.
func plain(runs []model.Run) string {
	var b strings.Builder
	for _, r := range runs {
		if r.Class == "" {
			b.WriteString(r.Text)
		} else {
			b.WriteString(r.Class + "{" + r.Text + "}")
		}
	}
	return b.String()
}

func TestALineIsShownAsATerminalWouldAndNeverHarms(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"plain text", "hello", "hello"},
		{"nothing", "", ""},
		{"a colour", "\x1b[31mred\x1b[0m and not", "f1{red} and not"},
		{"a bright colour and a ground", "\x1b[92;44mx", "f10 g4{x}"},
		{"a bright ground", "\x1b[103mx", "g11{x}"},
		{"the palette", "\x1b[38;5;208mo\x1b[48;5;17mb", "f208{o}f208 g17{b}"},
		{"true colour", "\x1b[38;2;255;0;0mr\x1b[38;2;128;128;128mg\x1b[48;2;1;2;3mb", "f196{r}f244{g}f244 g16{b}"},
		{"colons", "\x1b[38:5:9ma\x1b[38:2::0:0:255mb\x1b[4:3mc\x1b[4:0md", "f9{a}f21{b}f21 a-line{c}f21{d}"},
		{"attributes", "\x1b[1mb\x1b[2md\x1b[22;3mi\x1b[23;4mu\x1b[24;9mx\x1b[29mn", "a-bold{b}a-bold a-dim{d}a-italic{i}a-line{u}a-cross{x}n"},
		{"reversed", "\x1b[7mr\x1b[31mf\x1b[27mn", "a-ground a-figure{r}a-ground g1{f}f1{n}"},
		{"defaults", "\x1b[31;41mx\x1b[39my\x1b[49mz", "f1 g1{x}g1{y}z"},
		{"an empty reset", "\x1b[31mx\x1b[my", "f1{x}y"},
		{"no change no piece", "a\x1b[0mb\x1b[mc", "abc"},
		{"rubbish in a colour", "\x1b[38;5mx\x1b[38;5;999my\x1b[999mz\x1b[38;2;1mw\x1b[xm", "xyzwm"},
		{"other sequences", "a\x1b[2K\x1b[1;1Hb\x1b(Bc\x1b=d", "abcd"},
		{"a title and a link", "\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"},
		{"broken off", "a\x1b", "a"},
		{"broken off inside", "a\x1b[31", "a"},
		{"an escape inside of one", "a\x1b[3\x1b[31mb", "af1{b}"},
		{"written over", "10 %\r50 %\rdone", "done"},
		{"a line of Windows", "hello\r", "hello"},
		{"control characters", "a\x00b\x07c\x7fd", "a␀b␇c␡d"},
		{"a tab", "a\tb", "a\tb"},
		{"binary", "\xff\xfe\x80a", "\ufffd\ufffd\ufffda"},
		{"text that turns around", "a\u202eb\u2066c", "a\ufffdb\ufffdc"},
		{"second control characters", "a\u009b31mb", "a\ufffd31mb"},
		{"markup is left to the template", "<b>&", "<b>&"},
		{"other scripts", "añ日本🙂", "añ日本🙂"},
	} {
		var p model.Painter
		runs, hidden := p.Line([]byte(tt.line))
		if got := plain(runs); got != tt.want || hidden != 0 {
			t.Errorf("%s: %q is shown as %q with %d hidden, want %q", tt.name, tt.line, got, hidden, tt.want)
		}
	}
}

func TestAColourLastsOverLines(t *testing.T) {
	var p model.Painter
	p.Line([]byte("\x1b[31mred"))
	runs, _ := p.Line([]byte("still\x1b[0m"))
	if got := plain(runs); got != "f1{still}" {
		t.Errorf("the next line is %q", got)
	}
	runs, _ = p.Line([]byte("not any more"))
	if got := plain(runs); got != "not any more" {
		t.Errorf("the line after is %q", got)
	}
}

func TestALongLineIsCutBetweenCharacters(t *testing.T) {
	var p model.Painter
	long := "a" + strings.Repeat("é", model.MaxShown)
	runs, hidden := p.Line([]byte(long))
	shown := plain(runs)
	if !utf8.ValidString(shown) || strings.Contains(shown, "\ufffd") || len(shown)+hidden != len(long) || len(shown) > model.MaxShown {
		t.Errorf("%d bytes are shown and %d hidden of %d", len(shown), hidden, len(long))
	}
	line := p.LineOf([]byte(long), false, now)
	if line.Hidden != "… 8194 more bytes" || line.Clock != "15:04:05" {
		t.Errorf("it says %q at %q", line.Hidden, line.Clock)
	}
	if line := p.LineOf([]byte("x"), true, time.Time{}); line.Hidden == "" || line.Clock != "" {
		t.Errorf("a line that the log cut says %q at %q", line.Hidden, line.Clock)
	}
	if runs, _ := p.Line([]byte(strings.Repeat("\x80", model.MaxShown+1))); plain(runs) == "" {
		t.Error("nothing is shown of a long line of continuation bytes")
	}
}

func TestEveryClassIsInTheStyleSheet(t *testing.T) {
	css, err := os.ReadFile("../../static/css/ansi.css")
	if err != nil {
		t.Fatal(err)
	}
	var p model.Painter
	var line strings.Builder
	for i := range 256 {
		line.WriteString("\x1b[38;5;" + strconv.Itoa(i) + "m\x1b[48;5;" + strconv.Itoa(i) + "mx")
	}
	line.WriteString("\x1b[0;1;2;3;4;7;9mx")
	runs, _ := p.Line([]byte(line.String()))
	for _, r := range runs {
		for class := range strings.FieldsSeq(r.Class) {
			if !strings.Contains(string(css), "."+class+" {") {
				t.Errorf("the class %s is not in ansi.css", class)
			}
		}
	}
	if len(runs) != 257 {
		t.Errorf("%d pieces", len(runs))
	}
}

func FuzzALineNeverHoldsWhatCannotBeSeen(f *testing.F) {
	f.Add([]byte("\x1b[31mx\x1b]0;t\x07"))
	f.Add([]byte("\x1b[38:2::1:2:3m\r\x00"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var p model.Painter
		runs, hidden := p.Line(line)
		if hidden < 0 || hidden > len(line) {
			t.Errorf("%d hidden of %d", hidden, len(line))
		}
		for _, r := range runs {
			for _, c := range r.Text {
				if c < 0x20 && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == 0x202e {
					t.Errorf("%q is left in %q", c, r.Text)
				}
			}
			if strings.ContainsAny(r.Class, `"<>&`) {
				t.Errorf("the class is %q", r.Class)
			}
		}
	})
}
