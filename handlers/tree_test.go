package handlers

import (
	"fmt"
	"strings"
	"syscall"
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

func TestASignalIsSentToOneProcess(t *testing.T) {
	var sent []string
	a := newApp(t, func(d *Deps) {
		d.Signal = func(server, run string, pid int, sig syscall.Signal, _ string) error {
			if pid != 7 {
				return services.Errorf(services.NotFound, "pid %d is not a process of this server any more", pid)
			}
			sent = append(sent, fmt.Sprint(server, run, pid, services.SignalName(sig)))
			return nil
		}
	})
	if w := a.serve(request("POST", "/api/servers/web/tree?pid=7&signal=TERM", "")); w.Code != 404 || !strings.Contains(w.Body.String(), "it does not run") {
		t.Errorf("of a server that is down: %d %s", w.Code, w.Body)
	}
	a.Set(services.EventStarted, services.Status{Name: "web", Phase: services.Running, PID: 7, Run: "r1"})
	for _, test := range []struct {
		target, body string
		header       []string
		status       int
		says         string
	}{
		{"/api/servers/web/tree?pid=7&signal=usr1", "", nil, 200, "SIGUSR1 was sent to pid 7 of web"},
		{"/api/servers/web/tree?pid=8&signal=TERM", "", nil, 404, "not a process of this server"},
		{"/api/servers/web/tree?pid=-7&signal=TERM", "", nil, 400, "pid wants the number of a process"},
		{"/api/servers/web/tree?pid=7&signal=DANCE", "", nil, 400, "is not a signal"},
		{"/api/servers/nobody/tree?pid=7&signal=TERM", "", nil, 404, "there is no server"},
		{"/servers/web/processes/7", "signal=HUP", nil, 303, ""},
		{"/servers/web/processes/7", "signal=KILL", []string{"HX-Request", "true"}, 200, "SIGKILL was sent to pid 7 of web"},
		{"/servers/web/processes/0", "signal=KILL", nil, 400, "pid wants"},
	} {
		w := a.serve(request("POST", test.target, test.body, test.header...))
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s %s: %d %s", test.target, test.body, w.Code, w.Body)
		}
	}
	if got := strings.Join(sent, " "); got != "webr17SIGUSR1 webr17SIGHUP webr17SIGKILL" {
		t.Errorf("sent %s", got)
	}
}
