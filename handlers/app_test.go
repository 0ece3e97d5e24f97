package handlers

import (
	"bytes"
	"context"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tend/services"
	"tend/services/access"
	"tend/services/controltest"
	"tend/services/logs"
)

// app is the web application with a Fake behind it.
type app struct {
	*controltest.Fake
	*handler
	whole     http.Handler
	shutdowns atomic.Int32
	sockets   atomic.Int32 // handshakes that reached the hub
	log       *buffer
}

// noLogs has nothing to read.
type noLogs struct{}

func (noLogs) Read(context.Context, string, logs.Query) iter.Seq2[logs.Line, error] {
	return func(func(logs.Line, error) bool) {}
}

func (noLogs) Copy(context.Context, string, io.Writer) error { return nil }

func newApp(t testing.TB, change ...func(*Deps)) *app {
	t.Helper()
	a := &app{Fake: controltest.NewFake(controltest.Servers()...), log: new(buffer)}
	d := Deps{
		Control: a.Fake, Logs: noLogs{}, Log: slog.New(slog.NewTextHandler(a.log, nil)), Hosts: []string{"box.lan"},
		Hub: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			a.sockets.Add(1)
			w.WriteHeader(http.StatusNoContent)
		}),
		Shutdown: func(context.Context, bool) error {
			a.shutdowns.Add(1)
			return nil
		},
		Info: Info{Version: "1", PID: 7},
	}
	for _, f := range change {
		f(&d)
	}
	a.handler = newHandler(d)
	a.whole = New(d)
	return a
}

// boss may everything. Tests in which it matters say somebody else.
var boss = access.Subject{Name: "boss", Role: services.Admin}

// as makes a server take everybody for somebody.
func as(s access.Subject) func(net.Listener) context.Context {
	return func(net.Listener) context.Context { return access.With(context.Background(), s) }
}

// serveOn serves a handler over TCP, to the boss.
func serveOn(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.BaseContext = as(boss)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// request is one that a program of the boss makes on this machine; header
// alternates names and values.
func request(method, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r = r.WithContext(access.With(r.Context(), boss))
	r.Host = "localhost:3030"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (a *app) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.whole.ServeHTTP(w, r)
	return w
}

// untouched fails when a request has changed something.
func (a *app) untouched(t *testing.T, what string) {
	t.Helper()
	if list := a.Orders(); len(list) > 0 || a.shutdowns.Load() > 0 || a.sockets.Load() > 0 {
		t.Fatalf("%s: reached the services: %v, %d shutdowns, %d sockets", what, list, a.shutdowns.Load(), a.sockets.Load())
	}
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// but returns the log without the lines that contain a text.
func (b *buffer) but(text string) string {
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		if !strings.Contains(line, text) {
			out.WriteString(line)
		}
	}
	return out.String()
}

var (
	_ io.Writer        = (*buffer)(nil)
	_ services.Control = (*app)(nil)
)
