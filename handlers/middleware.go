package handlers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tend/services"
)

// guarded wraps the routes with what holds for every request: an id, a net
// under a panic, the headers that tell a browser what it may do, and the rules
// that keep foreign pages out.
func (h *handler) guarded(next http.Handler) http.Handler {
	for _, wrap := range []func(http.Handler) http.Handler{h.sameOrigin, h.knownHost, headers, h.recovered, identified} {
		next = wrap(next)
	}
	return next
}

type contextKey int

const (
	keyRequestID contextKey = iota
	keyLocalSocket
)

func identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [6]byte
		rand.Read(b[:])
		ctx := context.WithValue(r.Context(), keyRequestID, hex.EncodeToString(b[:]))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(keyRequestID).(string)
	return id
}

func (h *handler) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			what := recover()
			if what == nil || what == http.ErrAbortHandler { //nolint:errorlint // compared as net/http does
				return
			}
			h.Log.Error("a handler panicked", "request", requestID(r), "path", r.URL.Path, slog.Any("panic", what))
			http.Error(w, "something went wrong inside tend; its log says what under request "+requestID(r), http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// ConnContext marks connections of the unix socket, whose owner is known, for
// http.Server.ConnContext.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if _, ok := c.(*net.UnixConn); ok {
		return context.WithValue(ctx, keyLocalSocket, true)
	}
	return ctx
}

func onSocket(r *http.Request) bool {
	local, _ := r.Context().Value(keyLocalSocket).(bool)
	return local
}

// knownHost refuses requests that name this machine by a name that is not
// ours: a foreign page can make a browser resolve its own name to a loopback
// address.
func (h *handler) knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !onSocket(r) && !h.allowed(r.Host) {
			h.fail(w, r, services.Errorf(services.Forbidden, "host %q is not served here: use localhost or 127.0.0.1", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (h *handler) allowed(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return true
	}
	host = strings.ToLower(host)
	return host == "localhost" || slices.Contains(h.Hosts, host)
}

// sameOrigin refuses what a foreign page makes a browser send: every change,
// and the handshake of the websocket.
func (h *handler) sameOrigin(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := cross.Check(r); err != nil {
			h.fail(w, r, services.Errorf(services.Forbidden, "a page of another origin may not do that"))
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && !sameHost(origin, r.Host) {
			h.fail(w, r, services.Errorf(services.Forbidden, "origin %q may not do that", origin))
			return
		}
		if r.Method == http.MethodPost {
			if !formOrNothing(r) {
				h.fail(w, r, services.Errorf(services.Invalid, "a body has to be a form; parameters go into the query"))
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		}
		next.ServeHTTP(w, r)
	})
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host == host
}

func formOrNothing(r *http.Request) bool {
	if r.ContentLength == 0 && r.Header.Get("Content-Type") == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data") ||
		r.ContentLength == 0 && kind != "text/plain"
}
