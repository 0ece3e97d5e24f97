package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"tend/services"
)

func FuzzNoRequestIsAnsweredWithAnInternalError(f *testing.F) {
	f.Add("POST", "/api/servers/web", "action=start&wait=1ns", "")
	f.Add("POST", "/api/servers", "all=true", "action=restart")
	f.Add("GET", "/api/servers/web/logs", "tail=5&since=1m&grep=a.*&follow=false", "")
	f.Add("GET", "/api/events", "after=18446744073709551615", "")
	f.Add("GET", "/servers/web", "x=%00&;", "")
	f.Add("POST", "/api/shutdown", "keep=1", "keep=2")
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if !strings.HasPrefix(path, "/api/") {
			return
		}
		a := newApp(t)
		close(a.ending)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := (&http.Request{
			Method: method, URL: &url.URL{Path: path, RawQuery: query}, Host: "localhost", Header: http.Header{},
			ContentLength: int64(len(body)),
		}).WithContext(ctx)
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Body = readCloser{strings.NewReader(body)}
		}
		w := httptest.NewRecorder()
		a.whole.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s %s?%s with %q: %s", method, path, query, body, w.Body)
		}
		if w.Code >= 400 {
			if got := object(t, w); got["message"] == "" || got["kind"] == nil || got["kind"] == string(services.Internal) {
				t.Errorf("%s %s?%s with %q: %d %s", method, path, query, body, w.Code, w.Body)
			}
		}
	})
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
