package handlers

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// guarded wraps the routes with what holds for every request, from the outside
// in: an id, the log, the record of changes (audit.go), a net under a panic, the
// headers that tell a browser what it may do, the rules that keep foreign pages
// out (origin.go), and who is asking (subject.go). What that one may do is
// decided beside each route.
func (h *handler) guarded(next http.Handler) http.Handler {
	for _, wrap := range []func(http.Handler) http.Handler{h.plainForms, h.recognised, h.sameOrigin, h.knownHost, headers, h.recovered, h.audited, h.logged, identified} {
		next = wrap(next)
	}
	return next
}

type contextKey int

const (
	keyRequestID contextKey = iota
	keyPeer
	keyStranger
	keyNote
)

// identified gives the request an id by which people can find it in the log.
func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [6]byte
		rand.Read(b[:]) //nolint:errcheck // never fails
		id := hex.EncodeToString(b[:])
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), keyRequestID, id)))
	})
}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(keyRequestID).(string)
	return id
}

// recorder remembers what was answered. A handler may reach through it for
// whatever the connection can do.
type recorder struct {
	http.ResponseWriter
	status int // 0 as long as nothing was sent

	place   *place // left when the answer begins, nil where it has none
	bounded bool   // the client has to take what is written
	second  bool   // it speaks HTTP/2
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	w.begin()
	w.arm()
	if w.status == 0 && status >= 200 || status == http.StatusSwitchingProtocols {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.begin()
	if w.status == 0 {
		w.status = http.StatusOK
	}
	for written := 0; ; {
		w.arm()
		n, err := w.ResponseWriter.Write(b[written:min(written+writePiece, len(b))])
		if written += n; err != nil || written >= len(b) {
			return written, err
		}
	}
}

// begin says that the answer has been made.
func (w *recorder) begin() {
	if w.place != nil {
		w.place.leave()
	}
}

// Flush implements http.Flusher.
func (w *recorder) Flush() { w.FlushError() } //nolint:errcheck // nobody to tell

// FlushError is Flush for http.ResponseController.
func (w *recorder) FlushError() error {
	w.begin()
	w.arm()
	defer w.disarm()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker, for the websocket.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buf, err
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logged writes one line for each request, for whoever debugs: what happens to
// servers is told by events.
func (h *handler) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, began := &recorder{ResponseWriter: w, bounded: !onSocket(r), second: r.ProtoMajor >= 2}, time.Now()
		if !rec.second {
			rec.arm() // that of the answer before may be over
		}
		defer func() {
			h.Log.LogAttrs(r.Context(), slog.LevelDebug, "request", slog.String("request", requestID(r)),
				slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", rec.status),
				slog.Duration("took", time.Since(began)))
		}()
		next.ServeHTTP(rec, r)
	})
}

// recovered turns a panic into an error of our own.
func (h *handler) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			what := recover()
			switch {
			case what == nil:
				return
			case what == http.ErrAbortHandler: //nolint:errorlint // compared as net/http does
				panic(what)
			}
			h.fail(w, r, panicked{what, debug.Stack()})
		}()
		next.ServeHTTP(w, r)
	})
}

// panicked is the error of a handler that panicked.
type panicked struct {
	what  any
	stack []byte
}

// Error tells what the log has to know.
func (p panicked) Error() string {
	return "panic: " + slog.AnyValue(p.what).String() + "\n" + string(p.stack)
}

// headers tells browsers what pages of ours may do: nothing that does not come
// from us, and nothing inside of other people's pages.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		// Not no-referrer: with it browsers hide the origin of our own forms, too.
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
