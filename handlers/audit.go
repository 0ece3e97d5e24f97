package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"tend/handlers/api"
	"tend/services"
	"tend/services/access"
)

// note is what the record will say of a request that asks for a change. Who
// knows a part of it fills it in.
type note struct {
	by     string // who, from where
	what   string
	server string // that it is about, empty for none or several
	result string // empty for done
	silent bool   // it asked for no change after all
}

func noteOf(r *http.Request) *note {
	n, _ := r.Context().Value(keyNote).(*note)
	return n
}

// audited leaves a line for each request that asks for a change, also for those
// that are refused, and refused by whatever: who, from where, what, result.
func (h *handler) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		n := &note{by: actor(r, access.Subject{}), what: fmt.Sprintf("%.10s %.100s", r.Method, r.URL.Path)}
		defer func() { h.record(r, n) }()
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyNote, n)))
	})
}

func (h *handler) record(r *http.Request, n *note) {
	if n.silent && n.result == "" {
		return
	}
	result := n.result
	if result == "" {
		result = "done"
	} else {
		left, heard := h.refusals.hear(time.Now())
		if !heard {
			return
		}
		if left > 0 {
			result += fmt.Sprintf(" (before that %d refusals were not written down: there were too many)", left)
		}
	}
	h.Log.LogAttrs(r.Context(), slog.LevelInfo, "audit", slog.String("by", n.by), slog.String("what", n.what), slog.String("result", result), slog.String("request", requestID(r)))
	if h.Report != nil {
		h.Report(services.Event{Kind: services.EventAudit, Server: n.server, By: n.by, Message: n.what + ": " + result})
	}
}

// noted says in the record what a handler was asked for. The words in braces
// are parts of the path and fields of the form, of which none is a secret.
func noted(says string, handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handle(w, r)
		n := noteOf(r)
		if n == nil {
			return err
		}
		if r.Form == nil { // it was refused before anybody looked
			r.ParseForm() //nolint:errcheck // what can be read of it is written down
		}
		what := placeholder.ReplaceAllStringFunc(says, func(word string) string { return field(r, strings.Trim(word, "{}")) })
		if what = strings.Join(strings.Fields(what), " "); what != "" {
			n.what = what
		}
		n.silent = r.Form.Get("dry") == "true" // it only looks
		switch services.KindOf(err) {
		case services.NotFound, services.Forbidden, services.Invalid: // nobody has looked whether there is such a server
		default:
			n.server = mux.Vars(r)["id"]
		}
		return err
	}
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// field is a part of the path or a field of the form, in a readable length.
func field(r *http.Request, name string) string {
	if part, ok := mux.Vars(r)[name]; ok {
		return fmt.Sprintf("%.80s", part)
	}
	list := r.Form[name]
	if len(list) > 5 {
		return fmt.Sprintf("%.300s and %d more", strings.Join(list[:5], " "), len(list)-5)
	}
	return fmt.Sprintf("%.300s", strings.Join(list, " "))
}

// resultOf says what became of a request that failed.
func resultOf(p problem) string {
	if p.Status >= 500 {
		return "failed: " + p.Message
	}
	return "refused: " + p.Message
}

// refusals bounds how many refused requests are written down: anybody can make
// as many as he likes, and the record of what happened is not his to fill.
type refusals struct {
	mu         sync.Mutex // guards what follows
	from       time.Time
	heard, not int
}

const refusalsAMinute = 30

// hear reports whether one more is written down, and how many were not before.
func (f *refusals) hear(now time.Time) (left int, heard bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.from) >= time.Minute {
		f.from, f.heard = now, 0
	}
	if f.heard == refusalsAMinute {
		f.not++
		return 0, false
	}
	f.heard++
	left, f.not = f.not, 0
	return left, true
}
