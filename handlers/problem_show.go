package handlers

import (
	"net/http"
	"time"

	"github.com/a-h/templ"

	"tend/views/pages"
	"tend/views/partials"
)

// toastView is added to the element #toasts.
func toastView(p problem) templ.Component { return partials.Toast(p.Message) }

// errorView is the page that a browser shows instead of the one it asked for.
// Who is nobody learns nothing else from it.
func (h *handler) errorView(r *http.Request, p problem) templ.Component {
	title := http.StatusText(p.Status)
	frame := h.frame(r, title+" · tend", time.Now())
	if frame.Who == "" {
		return pages.Refusal(frame, title, p.Message)
	}
	return pages.Problem(frame, title, p.Message)
}
