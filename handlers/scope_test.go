package handlers

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/services/access"
	"tend/services/controltest"
	"tend/services/logs"
)

// past is a history that tells what it was asked for.
type past struct {
	noHistory
	asked []services.HistoryQuery
}

func (p *past) Events(_ context.Context, q services.HistoryQuery) (services.HistoryPage, error) {
	p.asked = append(p.asked, q)
	return services.HistoryPage{}, nil
}

// appending is a Control that lists into memory which it is given.
type appending struct{ services.Control }

func (c appending) AppendList(ctx context.Context, out []services.Status) ([]services.Status, error) {
	list, err := c.List(ctx)
	return append(out, list...), err
}

func TestAListIntoMemoryThatIsUsedAgainIsTheSame(t *testing.T) {
	fake := controltest.NewFake(controltest.Servers()...)
	names := func(list []services.Status) (out []string) {
		for _, s := range list {
			out = append(out, s.Name)
		}
		return out
	}
	for what, c := range map[string]scopedControl{"a lister": {appending{fake}}, "any control": {fake}} {
		for _, who := range []access.Subject{boss, {Name: "some", Role: services.Viewer, Servers: []string{"db"}}} {
			ctx := access.With(t.Context(), who)
			list, err := c.List(ctx)
			if err != nil {
				t.Fatal(err)
			}
			memory := append(make([]services.Status, 0, 100), services.Status{Name: "before"})
			got, err := services.AppendList(ctx, c, memory)
			if want := append([]string{"before"}, names(list)...); err != nil || !slices.Equal(names(got), want) || &got[0] != &memory[0] {
				t.Errorf("%s, %s: it lists %q (%v), want %q", what, who.Name, names(got), err, want)
			}
		}
		if _, err := services.AppendList(t.Context(), c, nil); services.KindOf(err) != services.Forbidden {
			t.Errorf("%s: nobody gets %v", what, err)
		}
	}
}

// Servers that somebody may not know of are not there, whatever is asked.
func TestWhoSeesSomeServersLearnsNothingOfTheOthers(t *testing.T) {
	h := new(past)
	a := newApp(t, func(d *Deps) { d.History = h })
	a.Set(services.EventChanged, services.Status{
		Name: "api", Phase: services.Waiting, Want: services.Up, Why: "waits for secretive", DependsOn: []string{"secretive", "web"},
		NeededBy: []string{"secretive"}, Until: services.Conditions{"secretive": services.UntilStarted},
	})
	a.Set(services.EventChanged, services.Status{Name: "secretive", Phase: services.Running, Group: "secretive-group", Command: "secretive-command"})
	some := access.Subject{Name: "token some", Role: services.Operator, Servers: []string{"api", "web"}, Via: access.ViaToken}
	ask := func(method, target, body string, header ...string) (int, string) {
		r := request(method, target, body, header...)
		w := a.serve(r.WithContext(access.With(r.Context(), some)))
		return w.Code, w.Body.String()
	}
	for _, path := range []string{
		"/", "/?q=secretive&sort=name", "/graph", "/timeline", "/logs", "/palette?q=secr", "/palette", "/servers/api", "/servers/api/events", "/servers/api/processes",
		"/api/servers", "/api/servers/api", "/bulk?action=stop&id=api",
	} {
		code, text := ask("GET", path, "")
		if code != 200 && code != 303 || strings.Contains(strings.ReplaceAll(text, "q=secr", ""), "secretive") && !strings.Contains(path, "q=secretive") {
			at := strings.Index(text, "secretive")
			t.Errorf("%s: %d …%s…", path, code, text[max(0, at-80):min(len(text), max(0, at)+80)])
		}
		if strings.Contains(text, "ws:connect") {
			t.Errorf("%s offers what is pushed to everybody", path)
		}
	}
	for _, target := range []string{
		"GET /servers/secretive", "GET /servers/secretive/events", "GET /servers/secretive/processes", "GET /servers/secretive/log", "GET /servers/secretive/logs",
		"GET /servers/secretive/logs/window", "GET /servers/secretive/logs/stream?after=1.0", "GET /servers/secretive/logs/search?q=x", "GET /servers/secretive/logs/download",
		"GET /logs?server=secretive", "GET /logs/window?server=api&server=secretive", "GET /logs/search?server=secretive&q=x", "GET /timeline?server=secretive",
		"GET /bulk?action=stop&id=secretive", "POST /servers/secretive/start", "POST /servers/secretive/processes/7?signal=TERM", "POST /bulk action=start&id=secretive", "POST /bulk action=stop&id=api&id=secretive",
		"GET /api/servers/secretive", "GET /api/servers/secretive/logs", "GET /api/servers/secretive/runs", "GET /api/servers/secretive/samples", "GET /api/servers/secretive/tree",
		"POST /api/servers/secretive?action=start", "POST /api/servers/secretive/tree?pid=7&signal=TERM", "POST /api/servers?action=stop&id=api&id=secretive", "GET /api/history?server=secretive", "GET /api/history?server=api&server=secretive",
	} {
		method, rest, _ := strings.Cut(target, " ")
		path, body, _ := strings.Cut(rest, " ")
		if code, text := ask(method, path, body); code != 404 || strings.Contains(text, "secretive-") {
			t.Errorf("%s: %d %.200s", target, code, text)
		}
	}
	for _, target := range []string{"GET /ws?topic=overview", "GET /config", "POST /config", "POST /api/config/reload", "GET /api/alerts"} {
		method, path, _ := strings.Cut(target, " ")
		if code, _ := ask(method, path, ""); code != 403 {
			t.Errorf("%s: %d", target, code)
		}
	}
	a.untouched(t, "what is not shown")
	if code, text := ask("POST", "/api/servers?action=start&all=true", ""); code != 200 {
		t.Errorf("all: %d %s", code, text)
	}
	for _, o := range a.Orders() {
		if slices.Contains(o.Servers, "secretive") || slices.Contains(o.Servers, "db") {
			t.Errorf("all is %v", o.Servers)
		}
	}
	for _, q := range h.asked {
		if len(q.Servers) == 0 || slices.ContainsFunc(q.Servers, func(name string) bool { return name != "api" && name != "web" }) {
			t.Errorf("history was asked for %v", q.Servers)
		}
	}
	ctx, cancel := context.WithCancel(access.With(t.Context(), some))
	defer cancel()
	for _, name := range []string{"secretive", "api"} {
		go a.Set(services.EventChanged, services.Status{Name: name, Phase: services.Running, DependsOn: []string{"secretive"}})
		if name == "secretive" {
			continue
		}
		for e, err := range a.Control.Watch(ctx, 0) {
			if err != nil || e.Kind != services.EventReset && (e.Server == "secretive" || e.Server == "" || len(e.Status.DependsOn) > 1 || strings.Contains(e.Status.Why, "secretive")) {
				t.Errorf("watched %+v, %v", e, err)
			}
			if e.Server == "api" && e.Status.Phase == services.Running {
				break
			}
		}
	}
}

// Should a route ever forget to ask who it is, what it reads does.
func TestNobodyReadsOrActsBehindTheDoors(t *testing.T) {
	a := newApp(t)
	ctx := t.Context()
	errs := map[string]error{}
	_, errs["list"] = a.Control.List(ctx)
	_, errs["get"] = a.Control.Get(ctx, "web")
	_, errs["do"] = a.Control.Do(ctx, services.Order{Action: services.Start, Servers: []string{"web"}})
	_, errs["events"] = a.History.Events(ctx, services.HistoryQuery{})
	_, errs["runs"] = a.History.Runs(ctx, "web", time.Time{}, 1)
	_, errs["samples"] = a.History.Samples(ctx, "web", time.Time{}, time.Now(), 1)
	errs["copy"] = a.handler.Logs.Copy(ctx, "web", io.Discard)
	for _, err := range a.Control.Watch(ctx, services.Now) {
		errs["watch"] = err
	}
	for _, err := range a.handler.Logs.Read(ctx, "web", logs.Query{}) {
		errs["read"] = err
	}
	for _, name := range []string{"list", "get", "do", "events", "runs", "samples", "copy", "watch", "read"} {
		if services.KindOf(errs[name]) != services.Forbidden {
			t.Errorf("%s: %v", name, errs[name])
		}
	}
	viewer := access.With(ctx, access.Subject{Role: services.Viewer})
	if _, err := a.Control.Do(viewer, services.Order{Action: services.Start, Servers: []string{"web"}}); services.KindOf(err) != services.Forbidden {
		t.Errorf("a viewer acts: %v", err)
	}
	a.untouched(t, "nobody")
}
