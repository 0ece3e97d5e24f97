package handlers

import (
	"bytes"
	"errors"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"tend/handlers/api"
	"tend/services"
)

// statuses is the one place where kinds of errors meet HTTP.
var statuses = map[services.Kind]int{
	services.NotFound:    http.StatusNotFound,
	services.Conflict:    http.StatusConflict,
	services.Invalid:     http.StatusBadRequest,
	services.Forbidden:   http.StatusForbidden,
	services.Unavailable: http.StatusServiceUnavailable,
	services.Internal:    http.StatusInternalServerError,
}

// show turns the error of a handler into an answer in the form that was asked
// for: JSON for programs, a toast for htmx, a page for a browser.
func (h *handler) show(handle api.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			h.fail(w, r, err)
		}
	})
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := services.KindOf(err)
	message := err.Error()
	if kind == services.Internal {
		h.Log.Error("a request failed", "request", requestID(r), "path", r.URL.Path, "err", err)
		message = "something went wrong inside tend; its log says what under request " + requestID(r)
	} else if known := (*services.Error)(nil); errors.As(err, &known) {
		message = known.Msg
	}
	status := statuses[kind]
	switch {
	case wantsJSON(r):
		api.WriteJSON(w, status, api.Answer{Message: message, Kind: kind}) //nolint:errcheck // strings always encode
	case r.Header.Get("HX-Request") != "":
		w.Header().Set("HX-Retarget", "#toasts")
		w.Header().Set("HX-Reswap", "beforeend")
		http.Error(w, message, status)
	default:
		http.Error(w, message, status)
	}
}

func wantsJSON(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/healthz"
}

// render writes a whole view or nothing of it.
func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, view templ.Component) error {
	var b bytes.Buffer
	if err := view.Render(r.Context(), &b); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // whoever asked has gone
	return nil
}
