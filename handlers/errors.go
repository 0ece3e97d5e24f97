package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"

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

// problem is what somebody is told of an error.
type problem struct {
	Status  int
	Kind    services.Kind
	Message string // a sentence
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

// fail answers with an error. Where the answer has begun already, the
// connection is cut, so that nobody takes half of it for the whole.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if unheard(r, err) {
		return
	}
	p := h.problem(r, err)
	if begun, ok := w.(*recorder); ok && begun.status != 0 {
		h.Log.Warn("an answer was cut off", "request", requestID(r), "path", r.URL.Path, "err", err)
		panic(http.ErrAbortHandler)
	}
	h.tell(w, r, p)
}

// unheard reports whether the error is only that nobody waits for the answer.
func unheard(r *http.Request, err error) bool {
	return r.Context().Err() != nil && errors.Is(err, context.Canceled)
}

// problem finds the words for an error. What nobody has classified is logged
// and not shown: it may name what is nobody else's business.
func (h *handler) problem(r *http.Request, err error) problem {
	var known *services.Error
	if errors.As(err, &known) && known.Kind != services.Internal {
		if status, ok := statuses[known.Kind]; ok {
			return problem{status, known.Kind, known.Error()}
		}
	}
	h.Log.Error("a request failed", "request", requestID(r), "path", r.URL.Path, "err", err)
	return problem{
		http.StatusInternalServerError, services.Internal,
		"something went wrong inside tend: its log says what, under request " + requestID(r),
	}
}

func (h *handler) tell(w http.ResponseWriter, r *http.Request, p problem) {
	head := w.Header()
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		head.Del(name) // they were about the answer that is not given
	}
	head.Set("Cache-Control", "no-store")
	var err error
	switch {
	case wantsJSON(r):
		err = api.WriteJSON(w, p.Status, api.Answer{Message: p.Message, Kind: p.Kind})
	case r.Header.Get("HX-Request") == "true":
		// htmx swaps errors like any other answer: not into the place that the
		// click was about, but onto the pile of toasts.
		head.Set("HX-Retarget", "#toasts")
		head.Set("HX-Reswap", "beforeend")
		err = h.render(w, r, p.Status, toastView(p))
	default:
		err = h.render(w, r, p.Status, h.errorView(p))
	}
	if err != nil && r.Context().Err() == nil { // else nobody is there any more
		h.Log.Error("an error could not be shown", "request", requestID(r), "err", err)
		http.Error(w, p.Message, p.Status)
	}
}

// wantsJSON reports whether a program is asking.
func wantsJSON(r *http.Request) bool {
	path := r.URL.Path
	return path == "/api" || strings.HasPrefix(path, "/api/") || path == "/healthz"
}
