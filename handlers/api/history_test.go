package api_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// past is a history that remembers what it was asked.
type past struct {
	query         services.HistoryQuery
	before        time.Time
	from, to      time.Time
	limit, points int
	err           error
}

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

func (p *past) Events(_ context.Context, q services.HistoryQuery) (services.HistoryPage, error) {
	p.query = q
	return services.HistoryPage{Events: []services.Event{{ID: 9, At: services.Time{Time: noon}, Kind: services.EventExited, Server: "web", Message: "m", Crash: true}}, Next: 8}, p.err
}

func (p *past) Runs(_ context.Context, _ string, before time.Time, limit int) ([]services.PastRun, error) {
	p.before, p.limit = before, limit
	return []services.PastRun{{ID: "2", Server: "web", StartedAt: services.Time{Time: noon}}}, p.err
}

func (p *past) Samples(_ context.Context, _ string, from, to time.Time, points int) ([]services.Sample, error) {
	p.from, p.to, p.points = from, to, points
	return nil, p.err
}

func TestHistoryIsAskedWhatTheParametersSay(t *testing.T) {
	a := newApp(t)
	w := a.ask("GET", "/api/history?server=web&server=db&kind=exited&kind=&text=x&since=2030-01-02T12:00:00Z&until=2030-01-03T12:00:00Z&before=77&limit=5", "")
	want := services.HistoryQuery{Servers: []string{"web", "db"}, Kinds: []services.EventKind{services.EventExited}, Text: "x", Since: noon, Until: noon.Add(24 * time.Hour), Before: 77, Limit: 5}
	if w.Code != 200 || !reflect.DeepEqual(a.past.query, want) {
		t.Errorf("%d, asked %+v, want %+v", w.Code, a.past.query, want)
	}
	if text := strings.TrimSpace(w.Body.String()); text != `{"events":[{"id":9,"at":"2030-01-02T12:00:00.000Z","kind":"exited","server":"web","message":"m","crash":true}],"next":8}` {
		t.Error(text)
	}
	a.ask("GET", "/api/history", "")
	if !reflect.DeepEqual(a.past.query, services.HistoryQuery{Servers: []string{}, Kinds: nil, Limit: 100}) && a.past.query.Limit != 100 {
		t.Errorf("asked %+v", a.past.query)
	}
}

func TestRunsAndSamplesArePaged(t *testing.T) {
	a := newApp(t)
	w := a.ask("GET", "/api/servers/web/runs?before=2030-01-02T12:00:00Z&limit=1", "")
	want := `{"runs":[{"id":"2","server":"web","startedAt":"2030-01-02T12:00:00.000Z","endedAt":null,"exit":null,"crash":false,"lines":null}],"next":"2030-01-02T12:00:00.000Z"}`
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != want || !a.past.before.Equal(noon) || a.past.limit != 1 {
		t.Errorf("%d %s, asked %+v", w.Code, w.Body, a.past)
	}
	if w := a.ask("GET", "/api/servers/web/runs", ""); !strings.HasSuffix(strings.TrimSpace(w.Body.String()), `"next":null}`) || a.past.limit != 20 {
		t.Errorf("%s, asked %+v", w.Body, a.past)
	}
	w = a.ask("GET", "/api/servers/web/samples?from=2030-01-02T12:00:00Z&to=2030-01-02T13:00:00Z&points=7", "")
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != "[]" || !a.past.from.Equal(noon) || !a.past.to.Equal(noon.Add(time.Hour)) || a.past.points != 7 {
		t.Errorf("%d %s, asked %+v", w.Code, w.Body, a.past)
	}
	if a.ask("GET", "/api/servers/web/samples", ""); a.past.to.Sub(a.past.from) != time.Hour || a.past.points != 300 {
		t.Errorf("asked %+v", a.past)
	}
}

func TestABadQuestionAboutThePastIsAnsweredWithASentence(t *testing.T) {
	a := newApp(t)
	for target, says := range map[string]string{
		"/api/history?kind=boom":                 "kind wants a kind of event",
		"/api/history?since=yesterday":           "since wants an age such as 10m",
		"/api/history?before=-1":                 "before wants a whole number",
		"/api/history?limit=5000":                "limit is 1000 at most",
		"/api/history?servers=a":                 "this call takes server, kind, text",
		"/api/servers/web/runs?limit=0":          "limit wants a whole number from 1 on",
		"/api/servers/web/runs?limit=201":        "limit is 200 at most",
		"/api/servers/web/runs?before=x":         "before wants an age",
		"/api/servers/web/samples?from=x":        "from wants an age",
		"/api/servers/web/samples?to=2001-01-01": "to wants an age",
		"/api/servers/web/samples?from=1h&to=2h": "from has to be before to",
		"/api/servers/web/samples?points=100000": "points is 2000 at most",
		"/api/servers/web/samples?point=1":       "this call takes from, to, points",
	} {
		w := a.ask("GET", target, "")
		if message, _ := object(t, w)["message"].(string); w.Code != 400 || !strings.Contains(message, says) {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
	a.past.err = services.Errorf(services.Unavailable, "history cannot be read")
	for _, target := range []string{"/api/history", "/api/servers/web/runs", "/api/servers/web/samples"} {
		if w := a.ask("GET", target, ""); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	for _, target := range []string{"/api/servers/nobody/runs", "/api/servers/nobody/samples"} {
		if w := a.ask("GET", target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}
