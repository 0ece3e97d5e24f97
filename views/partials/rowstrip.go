package partials

import (
	"context"
	"html"
	"io"
	"strings"

	"github.com/a-h/templ"

	"tend/views/model"
)

// RowStrip is how well a server was in the last hour. It is written by hand,
// for there is one in each row.
func RowStrip(s model.RowStrip) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		if len(s.Cells) == 0 { // the row does not grow when there is more to show
			_, err := io.WriteString(w, `<span class="row-strip"></span>`)
			return err
		}
		var b strings.Builder
		b.WriteString(`<svg class="row-strip" viewBox="` + model.RowStripBox + `" preserveAspectRatio="none" role="img" aria-label="` + html.EscapeString(s.Text) + `">`)
		for _, cells := range s.Cells {
			b.WriteString(`<path class="` + html.EscapeString(cells.Class) + `" d="` + html.EscapeString(cells.Path) + `"/>`)
		}
		b.WriteString(`</svg>`)
		_, err := io.WriteString(w, b.String())
		return err
	})
}
