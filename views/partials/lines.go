package partials

import (
	"bytes"
	"context"
	"io"

	"github.com/a-h/templ"

	"tend/views/model"
)

// Lines are lines of a log, in one line of HTML. It is written by hand because
// every space of a log counts.
func Lines(lines []model.Line) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b bytes.Buffer
		b.Grow(lineRoom * len(lines))
		for _, line := range lines {
			writeLine(&b, line)
		}
		_, err := w.Write(b.Bytes())
		return err
	})
}

// writeAt says when a line was noticed, for times.js.
func writeAt(b *bytes.Buffer, at string) {
	if at != "" {
		b.WriteString(` data-at="` + at + `"`)
	}
}

// lineRoom is what a usual line takes in HTML.
const lineRoom = 256

func writeLine(b *bytes.Buffer, line model.Line) {
	if line.Gap {
		b.WriteString(`<div class="l l-gap">… lines are left out here: they came faster than anybody reads</div>`)
	}
	b.WriteString(`<div class="l"`)
	if line.Open {
		b.WriteString(` data-open`)
	}
	if line.Joins {
		b.WriteString(` data-joins`)
	}
	b.WriteString(`><span class="l-t"`)
	writeAt(b, line.At)
	b.WriteString(`>` + templ.EscapeString(line.Clock) + `</span><span class="l-x">`)
	for _, run := range line.Runs {
		if run.Class == "" {
			b.WriteString(templ.EscapeString(run.Text))
			continue
		}
		b.WriteString(`<span class="` + templ.EscapeString(run.Class) + `">` + templ.EscapeString(run.Text) + `</span>`)
	}
	if line.Hidden != "" {
		b.WriteString(`<i class="l-more">` + templ.EscapeString(line.Hidden) + `</i>`)
	}
	b.WriteString(`</span></div>`)
}
