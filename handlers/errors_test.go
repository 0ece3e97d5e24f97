package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tend/handlers/api"
	"tend/services"
)

// failing serves a handler that fails, below a path.
func (a *app) failing(path string, err error, header ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.guarded(a.show(func(http.ResponseWriter, *http.Request) error { return err })).
		ServeHTTP(w, request("POST", path, "", header...))
	return w
}

func TestEveryKindOfErrorHasItsStatusInEveryForm(t *testing.T) {
	want := map[services.Kind]int{
		services.NotFound: 404, services.Conflict: 409, services.Invalid: 400,
		services.Forbidden: 403, services.Unavailable: 503, services.Internal: 500,
	}
	if len(statuses) != len(services.Kinds) {
		t.Errorf("%d statuses for %d kinds", len(statuses), len(services.Kinds))
	}
	for _, kind := range services.Kinds {
		a := newApp(t)
		err := fmt.Errorf("acting: %w", services.Errorf(kind, "port 1 is <held> & \"taken\""))
		for form, w := range map[string]*httptest.ResponseRecorder{
			"json":  a.failing("/api/servers/web", err),
			"toast": a.failing("/servers/web/start", err, "HX-Request", "true"),
			"page":  a.failing("/servers/web/start", err),
		} {
			name := string(kind) + " as " + form
			body := w.Body.String()
			if w.Code != want[kind] {
				t.Errorf("%s: status %d, want %d", name, w.Code, want[kind])
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Request-Id") == "" {
				t.Errorf("%s: headers %v", name, w.Header())
			}
			if kind == services.Internal {
				if strings.Contains(body, "held") || !strings.Contains(body, w.Header().Get("X-Request-Id")) {
					t.Errorf("%s: shows %s", name, body)
				}
			}
			switch form {
			case "json":
				var got api.Answer
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Success || got.Kind != kind || got.Message == "" {
					t.Errorf("%s: %s", name, body)
				}
				if kind != services.Internal && got.Message != "port 1 is <held> & \"taken\"" {
					t.Errorf("%s: says %q", name, got.Message)
				}
			case "toast":
				// htmx 4 swaps answers of every status but 204 and 304, to where these headers say.
				if w.Header().Get("HX-Retarget") != "#toasts" || w.Header().Get("HX-Reswap") != "beforeend" {
					t.Errorf("%s: headers %v", name, w.Header())
				}
				fallthrough
			default:
				if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") || strings.Contains(body, "<held>") {
					t.Errorf("%s: %s", name, body)
				}
				if kind != services.Internal && !strings.Contains(body, "port 1 is &lt;held&gt; &amp;") {
					t.Errorf("%s: does not say why: %s", name, body)
				}
			}
		}
		if logged := a.log.but("msg=audit"); strings.Contains(logged, "held") != (kind == services.Internal) {
			t.Errorf("%s: logged %q", kind, logged)
		}
	}
}

func TestAnErrorThatNobodyClassifiedIsLoggedAndNotShown(t *testing.T) {
	a := newApp(t)
	w := a.failing("/api/servers", errors.New("open /root/secret: no"))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if logged := a.log.String(); !strings.Contains(logged, "secret") || !strings.Contains(logged, w.Header().Get("X-Request-Id")) {
		t.Errorf("logged %q", logged)
	}
}

func TestAPanicIsAnErrorLikeAnyOther(t *testing.T) {
	a := newApp(t)
	w := httptest.NewRecorder()
	a.guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a secret") })).
		ServeHTTP(w, request("GET", "/api/servers", ""))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), `"kind":"internal"`) {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	if logged := a.log.String(); !strings.Contains(logged, "a secret") || !strings.Contains(logged, "errors_test.go") {
		t.Errorf("logged %q", logged)
	}
}

func TestAnAnswerThatFailsHalfWayIsCutOff(t *testing.T) {
	a := newApp(t)
	for name, handle := range map[string]api.Handler{
		"an error": func(w http.ResponseWriter, _ *http.Request) error {
			w.Write([]byte("half"))
			return services.Errorf(services.Unavailable, "the disk is gone")
		},
		"a panic": func(w http.ResponseWriter, _ *http.Request) error {
			w.Write([]byte("half"))
			panic("gone")
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if what := recover(); what != http.ErrAbortHandler {
					t.Errorf("recovered %v, want what makes net/http cut the connection", what)
				}
			}()
			a.guarded(a.show(handle)).ServeHTTP(httptest.NewRecorder(), request("GET", "/api/servers", ""))
			t.Error("it ended like a whole answer")
		})
	}
}

func TestWhatIsNotThereIsAnsweredInTheFormThatWasAskedFor(t *testing.T) {
	a := newApp(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow, kind  string
	}{
		{"GET", "/nothing", 404, "", "text/html; charset=utf-8"},
		{"GET", "/api", 404, "", "application/json"},
		{"GET", "/api/nothing", 404, "", "application/json"},
		{"GET", "//api/servers", 404, "", "text/html; charset=utf-8"},
		{"POST", "/api//servers", 404, "", "application/json"},
		{"GET", "/api/servers/web/nothing", 404, "", "application/json"},
		{"GET", "/api/servers/nobody/samples", 404, "", "application/json"},
		{"GET", "/api/servers/nobody/runs", 404, "", "application/json"},
		{"GET", "/api/config/reload", 405, "POST", "application/json"},
		{"GET", "/metrics", 404, "", "text/html; charset=utf-8"},
		{"POST", "/", 405, "GET, HEAD", "text/html; charset=utf-8"},
		{"PUT", "/api/servers", 405, "GET, HEAD, POST", "application/json"},
		{"DELETE", "/api/servers/web", 405, "GET, HEAD, POST", "application/json"},
		{"POST", "/api/events", 405, "GET", "application/json"},
		{"HEAD", "/api/events", 405, "GET", "application/json"},
		{"GET", "/api/shutdown", 405, "POST", "application/json"},
		{"GET", "/servers/web/start", 405, "POST", "text/html; charset=utf-8"},
		{"OPTIONS", "/api/servers", 405, "GET, HEAD, POST", "application/json"},
	} {
		w := a.serve(request(c.method, c.path, ""))
		if w.Code != c.status || w.Header().Get("Allow") != c.allow || w.Header().Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %d, allow %q, %s", c.method, c.path, w.Code, w.Header().Get("Allow"), w.Header().Get("Content-Type"))
		}
	}
	a.untouched(t, "wrong methods")
}

func TestAWebsocketCanTakeTheConnectionOver(t *testing.T) {
	a := newApp(t, func(d *Deps) {
		d.Hub = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			conn.Write([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ntaken over"))
		})
	})
	srv := serveOn(t, a.whole)
	res, err := srv.Client().Get(srv.URL + "/ws?topic=overview")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, err := io.ReadAll(res.Body); string(text) != "taken over" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}
