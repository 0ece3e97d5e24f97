package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// next reads one event of a stream, as its fields.
func next(t *testing.T, text *bufio.Reader) map[string]string {
	t.Helper()
	fields := map[string]string{}
	for {
		line, err := text.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream ended: %v", err)
		}
		if line == "\n" {
			return fields
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		fields[name] = value
	}
}

func TestEventsAreAStreamThatCanBeResumed(t *testing.T) {
	a := newApp(t)
	res, leave := a.following(t, "/api/events")
	if head := res.Header; head.Get("Content-Type") != "text/event-stream" || head.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", head)
	}
	text := bufio.NewReader(res.Body)
	if first := next(t, text); first["retry"] != "1000" || first["id"] != fmt.Sprint(a.Last()) {
		t.Errorf("begins with %v", first)
	}
	// The stream has its place in line before its first byte is out.
	a.Publish(services.Event{Kind: services.EventState, Message: "line\nbreak"})
	one := next(t, text)
	var e services.Event
	if err := json.Unmarshal([]byte(one["data"]), &e); err != nil || one["event"] != "state" || one["id"] != fmt.Sprint(e.ID) || e.Message != "line\nbreak" {
		t.Errorf("got %v, %v", one, err)
	}
	leave()
	a.Set(services.EventStarted, services.Status{Name: "web", Phase: services.Running, Rev: 5})
	for _, how := range [][]string{{"/api/events?after=1", "Last-Event-ID", one["id"]}, {"/api/events?after=" + one["id"]}} {
		res, leave := a.following(t, how[0], how[1:]...)
		text := bufio.NewReader(res.Body)
		next(t, text) // retry
		two := next(t, text)
		var e services.Event
		if err := json.Unmarshal([]byte(two["data"]), &e); err != nil || e.Status == nil || e.Status.Name != "web" || e.ID == 0 || two["event"] != "started" {
			t.Errorf("%v: got %v, %v", how, two, err)
		}
		leave()
	}
	res, _ = a.following(t, "/api/events?after=0")
	text = bufio.NewReader(res.Body)
	next(t, text) // retry
	if reset := next(t, text); reset["event"] != "reset" || reset["id"] == "" {
		t.Errorf("an ancient position begins with %v", reset)
	}
	if again := next(t, text); again["id"] != one["id"] {
		t.Errorf("and goes on with %v", again)
	}
	close(a.ending)
	if _, err := io.ReadAll(text); err != nil {
		t.Errorf("the manager's end: %v", err)
	}
}

func TestAPositionThatIsNoneIsInvalid(t *testing.T) {
	a := newApp(t)
	for _, text := range []string{"x", "-1", "99999999999999999999", "1.5"} {
		if w := a.ask("GET", "/api/events?after="+text, ""); w.Code != 400 {
			t.Errorf("after=%s: %d %s", text, w.Code, w.Body)
		}
	}
}

func TestASilentStreamIsKeptAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequest("GET", "/api/events", nil).WithContext(ctx)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.whole.ServeHTTP(w, r)
		}()
		timer := time.NewTimer(46 * time.Second)
		<-timer.C
		cancel()
		<-done
		if n := strings.Count(w.Body.String(), "\n: "); n != 3 {
			t.Errorf("%d comments in 46 s: %q", n, w.Body)
		}
	})
}
