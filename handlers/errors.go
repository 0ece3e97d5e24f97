package handlers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"tend/handlers/api"
	"tend/services"
	"tend/services/access"
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
	p := h.problem(w, r, err)
	if n := noteOf(r); n != nil {
		n.result = resultOf(p)
	}
	if begun, ok := w.(*recorder); ok && begun.status != 0 {
		h.Log.Warn("an answer was cut off", "request", requestID(r), "path", r.URL.Path, "err", err)
		panic(http.ErrAbortHandler)
	}
	h.tell(w, r, p)
}

// unheard reports whether the error is only that nobody waits for the answer.
func unheard(r *http.Request, err error) bool {
	return r.Context().Err() != nil && errors.Is(err, context.Canceled) && !revoked(r.Context())
}

// problem finds the words for an error. What nobody has classified is logged
// and not shown: it may name what is nobody else's business.
func (h *handler) problem(w http.ResponseWriter, r *http.Request, err error) problem {
	var known *services.Error
	var who *stranger
	var tooMany *access.TooMany
	switch {
	case revoked(r.Context()) && errors.Is(err, context.Canceled):
		return problem{http.StatusUnauthorized, services.Forbidden, errNobody(r).Error()}
	case errors.As(err, &who):
		return problem{http.StatusUnauthorized, services.Forbidden, who.Error()}
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait.Seconds())))
		return problem{http.StatusTooManyRequests, services.Unavailable, err.Error()}
	}
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
	r = r.WithContext(context.WithoutCancel(r.Context())) // whoever may not go on is told so
	unknown := p.Status == http.StatusUnauthorized
	var err error
	switch {
	case wantsJSON(r):
		if unknown {
			head.Set("WWW-Authenticate", `Bearer realm="tend"`)
		}
		err = api.WriteJSON(w, p.Status, api.Answer{Message: p.Message, Kind: p.Kind})
	case byHTMX(r):
		// htmx swaps errors like any other answer: not into the place that the
		// click was about, but onto the pile of toasts.
		head.Set("HX-Retarget", "#toasts")
		head.Set("HX-Reswap", "beforeend")
		if unknown {
			head.Set("HX-Refresh", "true") // to where one can sign in
		}
		err = h.render(w, r, p.Status, toastView(p))
	case unknown:
		err = h.render(w, r, p.Status, h.signInView(r, p.Message, returnTo(r)))
	default:
		err = h.render(w, r, p.Status, h.errorView(r, p))
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
