package handlers

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/mux"

	"tend/services/access"
)

// route is one of the router's.
type route struct{ method, path string }

// everyRoute asks the router itself, so that no new route is forgotten.
func everyRoute(t *testing.T, a *app) []route {
	t.Helper()
	var all []route
	err := a.routes().Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := r.GetPathTemplate()
		if err != nil {
			return err
		}
		methods, err := r.GetMethods()
		if err != nil {
			t.Errorf("%s answers every method", path)
		}
		path = strings.NewReplacer("{id}", "web", "{action}", "start").Replace(path)
		for _, method := range methods {
			all = append(all, route{method, path})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d routes were found: %v", len(all), all)
	}
	return all
}

func TestNoRouteAnswersForeignPages(t *testing.T) {
	for name, header := range map[string][]string{
		"a foreign Host":                 {"Host", "evil.example"},
		"a foreign Host with a port":     {"Host", "evil.example:3030"},
		"a Host that resolves to us":     {"Host", "localhost.evil.example:3030"},
		"a Host with a name in its port": {"Host", "localhost:3030@evil.example"},
		"another address of the machine": {"Host", "192.168.1.5:3030"},
		"no Host":                        {"Host", ""},
		"a foreign Origin":               {"Origin", "http://evil.example"},
		"another port's Origin":          {"Origin", "http://localhost:8080"},
		"an opaque Origin":               {"Origin", "null"},
		"an Origin that is none":         {"Origin", "localhost:3030"},
		"an extension's Origin":          {"Origin", "chrome-extension://localhost:3030"},
		"a cross-site fetch":             {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"},
		"a fetch from another port":      {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"},
		"a foreign frame":                {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"},
		"an unknown Sec-Fetch-Site":      {"Sec-Fetch-Site", "nearby"},
		"a foreign Origin that lies":     {"Origin", "http://evil.example", "Sec-Fetch-Site", "same-origin"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t)
			for _, r := range everyRoute(t, a) {
				for _, query := range []string{"", "?action=start"} {
					w := a.serve(request(r.method, r.path+query, "", header...))
					if w.Code != http.StatusForbidden {
						t.Errorf("%s %s%s: %d", r.method, r.path, query, w.Code)
					}
				}
			}
			a.untouched(t, name)
		})
	}
}

func TestAForeignPageMayLinkToAPageAndPostNothing(t *testing.T) {
	a := newApp(t)
	link := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}
	if w := a.serve(request("GET", "/", "", link...)); w.Code != http.StatusOK {
		t.Errorf("a link to the overview: %d", w.Code)
	}
	for _, r := range everyRoute(t, a) {
		if r.method == "POST" {
			if w := a.serve(request(r.method, r.path+"?action=start", "", link...)); w.Code != http.StatusForbidden {
				t.Errorf("a form to %s: %d", r.path, w.Code)
			}
		}
	}
	a.untouched(t, "a foreign form")
}

func TestOurOwnPagesAndProgramsAreAnswered(t *testing.T) {
	for name, header := range map[string][]string{
		"a program":                      nil,
		"by address":                     {"Host", "127.0.0.1:3030"},
		"by another loopback address":    {"Host", "127.0.0.2"},
		"by IPv6 address":                {"Host", "[::1]:3030"},
		"by IPv6 address without a port": {"Host", "[::1]"},
		"by a name that was configured":  {"Host", "BOX.lan:80"},
		"by a name with a dot":           {"Host", "localhost.:3030"},
		"our own page":                   {"Origin", "http://localhost:3030", "Sec-Fetch-Site", "same-origin"},
		"an old browser":                 {"Origin", "http://localhost:3030"},
		"behind a proxy that speaks TLS": {"Origin", "https://localhost:3030", "Sec-Fetch-Site", "same-origin"},
		"the address bar":                {"Sec-Fetch-Site", "none"},
	} {
		a := newApp(t)
		if w := a.serve(request("POST", "/api/servers/web?action=start", "", header...)); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if w := a.serve(request("GET", "/ws?topic=overview", "", header...)); w.Code != http.StatusNoContent {
			t.Errorf("%s: websocket %d %s", name, w.Code, w.Body)
		}
	}
}

func TestWhatChangesSomethingTakesPostsAlone(t *testing.T) {
	a := newApp(t)
	for _, r := range everyRoute(t, a) {
		if r.method != "POST" || r.path == "/login" || r.path == "/enter" { // which show a form to a GET, see the table of routes
			continue
		}
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"} {
			ctx, cancel := context.WithCancel(access.With(t.Context(), boss))
			cancel() // should a stream answer
			w := a.serve(request(method, r.path+"?action=start&keep=true", "").WithContext(ctx))
			if w.Code < 400 {
				t.Errorf("%s %s: %d", method, r.path, w.Code)
			}
		}
	}
	a.untouched(t, "other methods")
}

func TestBodiesAreFormsOfAFairSize(t *testing.T) {
	a := newApp(t)
	for _, r := range everyRoute(t, a) {
		for name, header := range map[string][]string{
			"text":      {"Content-Type", "text/plain"},
			"JSON":      {"Content-Type", "application/json"},
			"multipart": {"Content-Type", "multipart/form-data; boundary=x"},
			"nothing":   {"Content-Type", ""},
		} {
			if w := a.serve(request(r.method, r.path, "action=start", header...)); w.Code != http.StatusBadRequest {
				t.Errorf("%s %s as %s: %d", r.method, r.path, name, w.Code)
			}
		}
		long := "action=start&id=" + strings.Repeat("x", maxBody)
		if w := a.serve(request(r.method, r.path, long)); w.Code != http.StatusBadRequest {
			t.Errorf("%s %s with a long body: %d", r.method, r.path, w.Code)
		}
		chunked := request(r.method, r.path, long)
		chunked.ContentLength = -1
		if w := a.serve(chunked); r.path != "/servers/web/start" && w.Code != http.StatusBadRequest {
			t.Errorf("%s %s with a long body of unknown length: %d", r.method, r.path, w.Code)
		}
	}
	a.untouched(t, "bad bodies")
	if w := a.serve(request("POST", "/api/servers/web", "action=start")); w.Code != http.StatusOK {
		t.Errorf("a form: %d %s", w.Code, w.Body)
	}
}

func TestEveryAnswerTellsBrowsersWhatIsAllowed(t *testing.T) {
	a := newApp(t)
	for _, path := range []string{"/", "/api/servers", "/nothing", "/healthz", "/api/servers/nobody"} {
		head := a.serve(request("GET", path, "")).Header()
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := head.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		csp := head.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: policy %q lacks %s", path, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: too much is allowed: %v", path, head)
		}
	}
}

func TestTheUnixSocketIsReachedByAnyHost(t *testing.T) {
	a := newApp(t)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: a.whole, ConnContext: ConnContext(nil)}
	var serving sync.WaitGroup
	serving.Go(func() { srv.Serve(l) })
	defer serving.Wait()
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	res, err := client.Get("http://whatever.example/api/servers")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != http.StatusOK {
		t.Errorf("%d %s", res.StatusCode, text)
	}
	tcp := httptest.NewUnstartedServer(a.whole)
	tcp.Config.ConnContext = ConnContext(nil)
	tcp.Start()
	defer tcp.Close()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", tcp.URL+"/api/servers", nil)
	req.Host = "whatever.example"
	if res, err := tcp.Client().Do(req); err != nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("over TCP: %v, %v", res, err)
	}
}
