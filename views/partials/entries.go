package partials

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tend/views/model"
)

// Entries are lines of the view of logs, in one line of HTML: an event of a
// stream is one line. It is written by hand because every space of a log counts.
func Entries(list []model.Entry) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b bytes.Buffer
		b.Grow(2 * lineRoom * len(list))
		for i := range list {
			writeEntry(&b, &list[i])
		}
		_, err := w.Write(b.Bytes())
		return err
	})
}

func writeEntry(b *bytes.Buffer, e *model.Entry) {
	if e.Gap {
		b.WriteString(`<div class="l l-gap">… lines are left out here: they came faster than anybody reads</div>`)
	}
	b.WriteString(`<div class="l`)
	if e.Level != model.LevelNone {
		b.WriteString(` l-` + e.Level.Key())
	}
	if e.Hit {
		b.WriteString(` l-hit`)
	}
	b.WriteString(`" id="` + templ.EscapeString(e.Place) + `"`)
	if e.Open {
		b.WriteString(` data-open`)
	}
	if e.Joins {
		b.WriteString(` data-joins`)
	}
	b.WriteString(`><a class="l-t" href="` + templ.EscapeString(e.Link) + `"`)
	if e.Full != "" {
		b.WriteString(` title="` + templ.EscapeString(e.Full) + `"`)
	}
	writeAt(b, e.At)
	clock := e.Clock
	if clock == "" {
		clock = "·"
		b.WriteString(` aria-label="Link to this line"`)
	}
	b.WriteString(`>` + templ.EscapeString(clock) + `</a>`)
	if e.Server != "" {
		b.WriteString(`<span class="l-s s` + strconv.Itoa(e.Color) + `">` + templ.EscapeString(e.Server) + `</span>`)
	}
	b.WriteString(`<span class="l-x">`)
	if e.Parsed && e.Level != model.LevelNone {
		b.WriteString(`<b class="l-v">` + e.Level.Word() + `</b> `)
	}
	writeRuns(b, e.Runs)
	for _, f := range e.Fields {
		b.WriteString(` <span class="l-f"><span class="l-k">` + inLine(f.Name) + `=</span>`)
		writeRuns(b, f.Runs)
		b.WriteString(`</span>`)
	}
	if e.Hidden != "" {
		b.WriteString(`<i class="l-more">` + templ.EscapeString(e.Hidden) + `</i>`)
	}
	b.WriteString(`</span></div>`)
}

func writeRuns(b *bytes.Buffer, runs []model.Run) {
	for _, run := range runs {
		if run.Class == "" {
			b.WriteString(inLine(run.Text))
			continue
		}
		b.WriteString(`<span class="` + templ.EscapeString(run.Class) + `">` + inLine(run.Text) + `</span>`)
	}
}

// inLine escapes text that may have several lines into one line of HTML.
func inLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(templ.EscapeString(text), "\n", "&#10;"), "\r", "&#13;")
}
