package handlers

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"

	"github.com/a-h/templ"
)

func (h *handler) showOverview(w http.ResponseWriter, r *http.Request) error { return nil }
func (h *handler) showServer(w http.ResponseWriter, r *http.Request) error   { return nil }
func (h *handler) streamLog(w http.ResponseWriter, r *http.Request) error    { return nil }
func (h *handler) actOnServer(w http.ResponseWriter, r *http.Request) error  { return nil }

// toastView is added to the element #toasts.
func toastView(p problem) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, `<div class="toast" role="alert">%s</div>`, html.EscapeString(p.Message))
		return err
	})
}

// errorView is the page that a browser shows instead of the one it asked for.
func (h *handler) errorView(p problem) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, `<!doctype html><html lang="en"><title>tend: %s</title><h1>%[1]s</h1><p>%s</p><p><a href="/">All servers</a></p>`,
			http.StatusText(p.Status), html.EscapeString(p.Message))
		return err
	})
}
