package api_test

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tend/handlers"
	"tend/services"
	"tend/services/access"
	"tend/services/controltest"
	"tend/services/logs"
)

// app is the REST surface as it is mounted, with a Fake behind it.
type app struct {
	*controltest.Fake
	whole  http.Handler
	past   *past
	logs   *fakeLogs
	kept   chan bool
	ending chan struct{}
}

// fakeLogs yields what a test has put into it.
type fakeLogs struct {
	lines []logs.Line
	err   error          // yielded at the end
	more  chan logs.Line // for followers
	mu    sync.Mutex     // guards what follows
	asked []logs.Query
}

func (f *fakeLogs) Read(ctx context.Context, _ string, q logs.Query) iter.Seq2[logs.Line, error] {
	f.mu.Lock()
	f.asked = append(f.asked, q)
	f.mu.Unlock()
	return func(yield func(logs.Line, error) bool) {
		for _, line := range f.lines {
			if !yield(line, nil) {
				return
			}
		}
		if f.err != nil {
			yield(logs.Line{}, f.err)
			return
		}
		for q.Follow {
			select {
			case line := <-f.more:
				if !yield(line, nil) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (f *fakeLogs) last() logs.Query {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) == 0 {
		return logs.Query{}
	}
	return f.asked[len(f.asked)-1]
}

func newApp(t testing.TB, servers ...services.Server) *app {
	t.Helper()
	if len(servers) == 0 {
		servers = controltest.Servers()
	}
	a := &app{
		Fake: controltest.NewFake(servers...), logs: &fakeLogs{more: make(chan logs.Line)},
		past: new(past), kept: make(chan bool, 1), ending: make(chan struct{}),
	}
	a.whole = forAdmin(handlers.New(handlers.Deps{
		Control: a.Fake, History: a.past, Position: a.Last, Logs: a.logs, Log: slog.New(slog.DiscardHandler), Ending: a.ending,
		Info: handlers.Info{Version: "1", PID: 7, Config: "/srv/tend.yaml", URL: "http://127.0.0.1:3030"},
		Shutdown: func(_ context.Context, keep bool) error {
			a.kept <- keep
			return nil
		},
	}))
	return a
}

// forAdmin takes everybody for an admin.
func forAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Subject{Name: "test", Role: services.Admin})))
	})
}

// ask sends a request; a body is a form.
func (a *app) ask(method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	a.whole.ServeHTTP(w, r)
	return w
}

// object reads an answer that is one JSON object.
func object(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return out
}

// Copy implements handlers.Logs.
func (*fakeLogs) Copy(context.Context, string, io.Writer) error { return nil }
