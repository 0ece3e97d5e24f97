package api_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/services/logs"
)

func line(from, to int64, text string) logs.Line {
	return logs.Line{Address: logs.Address{Gen: 1, Off: from}, Next: logs.Address{Gen: 1, Off: to}, Text: []byte(text)}
}

func TestALogIsPlainTextByteForByte(t *testing.T) {
	a := newApp(t)
	begun := line(20, 23, "beg")
	begun.Partial = true
	lost := line(40, 43, "los")
	lost.Partial = true
	cut := line(60, 1<<20, strings.Repeat("x", 2048))
	cut.Cut = true
	last := line(1<<20, 1<<20+4, "last")
	last.Partial = true
	a.logs.lines = []logs.Line{line(0, 8, "\x1b[31mred"), line(8, 20, "<b>\x00\xff"), begun, line(23, 40, "inning"), lost, line(50, 60, "after a gap"), cut, last}
	w := a.ask("GET", "/api/servers/web/logs", "")
	want := "\x1b[31mred\n<b>\x00\xff\nbeginning\nlos\nafter a gap\n" + strings.Repeat("x", 2048) + " [cut after 2 kB]\nlast"
	if w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %q, want %q", w.Code, w.Body, want)
	}
	if head := w.Header(); head.Get("Content-Type") != "text/plain; charset=utf-8" || head.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", head)
	}
}

func TestTheParametersOfALogBecomeAQuery(t *testing.T) {
	a := newApp(t)
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		query string
		tail  int
		since time.Time
		grep  string
	}{
		{"", -1, time.Time{}, ""},
		{"?tail=", -1, time.Time{}, ""},
		{"?tail=0", 0, time.Time{}, ""},
		{"?tail=7&grep=a.c&follow=false", 7, time.Time{}, "a.c"},
		{"?since=2030-01-02T03:04:05Z", -1, at, ""},
		{"?since=2030-01-02T04:04:05%2B01:00&tail=3", 3, at, ""},
	} {
		if w := a.ask("GET", "/api/servers/web/logs"+c.query, ""); w.Code != 200 {
			t.Fatalf("%s: %d %s", c.query, w.Code, w.Body)
		}
		q := a.logs.last()
		if q.Tail != c.tail || !q.Since.Equal(c.since) || q.Follow || q.MaxLag != 0 || (q.Grep == nil) != (c.grep == "") || q.Grep != nil && q.Grep.String() != c.grep {
			t.Errorf("%s: asked %+v", c.query, q)
		}
	}
	a.ask("GET", "/api/servers/web/logs?since=10m", "")
	if age := time.Since(a.logs.last().Since); age < 10*time.Minute || age > 11*time.Minute {
		t.Errorf("10m ago is %v ago", age)
	}
}

func TestABadQueryOfALogIsAnsweredWithASentence(t *testing.T) {
	a := newApp(t)
	for query, says := range map[string]string{
		"tail=-1":                           "tail wants a whole number from 0 on",
		"tail=many":                         "tail wants",
		"since=then":                        "since wants an age such as 10m",
		"since=-5m":                         "since wants",
		"grep=(":                            "grep wants a regular expression",
		"after=yesterday":                   "not an address in a log",
		"follow=perhaps":                    "follow wants true or false",
		"tail=1&tail=2":                     "tail is given 2 times",
		"n=5":                               "this call takes tail, since, after, grep, follow",
		"grep=" + strings.Repeat("x", 2000): "longer than 1000",
	} {
		w := a.ask("GET", "/api/servers/web/logs?"+query, "")
		if message, _ := object(t, w)["message"].(string); w.Code != 400 || !strings.Contains(message, says) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	if w := a.ask("GET", "/api/servers/nobody/logs", ""); w.Code != 404 {
		t.Errorf("of an unknown server: %d", w.Code)
	}
	a.logs.err = services.Errorf(services.Unavailable, "the log of web cannot be read")
	if w := a.ask("GET", "/api/servers/web/logs", ""); w.Code != 503 || object(t, w)["message"] != "the log of web cannot be read" {
		t.Errorf("that cannot be read: %d %s", w.Code, w.Body)
	}
}

// following opens a stream of a real server.
func (a *app) following(t *testing.T, path string, header ...string) (*http.Response, context.CancelFunc) {
	t.Helper()
	srv := httptest.NewServer(a.whole)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		res.Body.Close()
		srv.Close() // waits for the handlers
	})
	return res, cancel
}

func TestAFollowerSeesEachLineAsItComesUntilTheManagerEnds(t *testing.T) {
	a := newApp(t)
	a.logs.lines = []logs.Line{line(0, 4, "old")}
	res, _ := a.following(t, "/api/servers/web/logs?follow=true")
	text := bufio.NewReader(res.Body)
	for _, want := range []string{"old\n", "one\n", "two\n"} {
		if want != "old\n" {
			a.logs.more <- line(0, 0, strings.TrimSpace(want))
		}
		if got, err := text.ReadString('\n'); got != want || err != nil {
			t.Fatalf("read %q, %v, want %q", got, err, want)
		}
	}
	if q := a.logs.last(); !q.Follow || q.Tail != 100 {
		t.Errorf("asked %+v", q)
	}
	close(a.ending)
	if rest, err := io.ReadAll(text); len(rest) > 0 || err != nil {
		t.Errorf("ended with %q, %v", rest, err)
	}
}

func TestAFollowerSinceATimeGetsAllSinceThen(t *testing.T) {
	a := newApp(t)
	close(a.ending)
	a.ask("GET", "/api/servers/web/logs?follow=1&since=1h", "")
	if q := a.logs.last(); q.Tail != -1 || !q.Follow {
		t.Errorf("asked %+v", q)
	}
}

func TestAFollowerOfABrokenLogIsNotToldThatItWasTheEnd(t *testing.T) {
	a := newApp(t)
	a.logs.lines = []logs.Line{line(0, 4, "old")}
	a.logs.err = services.Errorf(services.Unavailable, "the disk is gone")
	res, _ := a.following(t, "/api/servers/web/logs?follow=true")
	if text, err := io.ReadAll(res.Body); err == nil || string(text) != "old\n" {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestALogAsObjectsHasTheAddressOfEachLine(t *testing.T) {
	a := newApp(t)
	begun := line(20, 23, "beg\xff")
	begun.Partial, begun.At = true, time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	a.logs.lines = []logs.Line{line(0, 8, "\x1b[31mred \"<\""), begun}
	r := httptest.NewRequest("GET", "/api/servers/web/logs?after=1.0", nil)
	r.Host = "localhost"
	r.Header.Set("Accept", "text/html;q=0.5, application/x-ndjson")
	w := httptest.NewRecorder()
	a.whole.ServeHTTP(w, r)
	want := `{"address":"1.0","next":"1.8","at":null,"text":"\u001b[31mred \"\u003c\"","cut":false,"partial":false}
{"address":"1.20","next":"1.23","at":"2030-01-02T03:04:05.000Z","text":"beg\ufffd","raw":"YmVn/w==","cut":false,"partial":true}
`
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/x-ndjson" || w.Body.String() != want {
		t.Errorf("%d %v\n%s\nwant\n%s", w.Code, w.Header(), w.Body, want)
	}
	if q := a.logs.last(); q.After != (logs.Address{Gen: 1}) {
		t.Errorf("asked %+v", q)
	}
}
