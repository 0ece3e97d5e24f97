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
func (h *handler) errorView(p problem) templ.Component {
	title := http.StatusText(p.Status)
	return pages.Problem(h.frame(title+" · tend", time.Now()), title, p.Message)
}
