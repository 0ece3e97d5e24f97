package handlers

import (
	"strings"
	"testing"

	"tend/services"
)

func TestTheProcessesOfAServerAreListedWhileItRuns(t *testing.T) {
	a := newApp(t, func(d *Deps) {
		d.Tree = func(run string) []services.TreeProcess {
			return []services.TreeProcess{{PID: 7, Parent: 1, Command: "web " + run, State: "sleeping", CPU: 1.5, Memory: 4096, Threads: services.Unknown}}
		}
	})
	if w := a.serve(request("GET", "/api/servers/web/tree", "")); w.Code != 200 || strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("of a server that is down: %d %s", w.Code, w.Body)
	}
	a.Set(services.EventStarted, services.Status{Name: "web", Phase: services.Running, PID: 7, Run: "r1"})
	want := `[{"pid":7,"parent":1,"command":"web r1","state":"sleeping","startedAt":null,"cpu":1.5,"memory":4096,"threads":null}]`
	if w := a.serve(request("GET", "/api/servers/web/tree", "")); w.Code != 200 || strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := a.serve(request("GET", "/api/servers/nobody/tree", "")); w.Code != 404 {
		t.Errorf("of nobody: %d", w.Code)
	}
	if w := a.serve(request("GET", "/api/servers/web/tree?x=1", "")); w.Code != 400 {
		t.Errorf("with a parameter: %d", w.Code)
	}
}
