package partials

import (
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/a-h/templ/runtime"
)

// shown sends what is there, and where the writer knows how to, gives the
// browser time to paint it.
func shown() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		b, ok := w.(*runtime.Buffer)
		if !ok {
			return nil
		}
		if p, ok := b.Underlying.(interface{ LetPaint() }); ok {
			p.LetPaint()
		}
		return b.Flush()
	})
}
