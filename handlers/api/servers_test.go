package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tend/services"
)

func TestTheListIsAnArrayOfStatuses(t *testing.T) {
	a := newApp(t)
	w := a.ask("GET", "/api/servers", "")
	var got []map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if len(got) != 4 || got[0]["id"] != "web" || got[2]["id"] != "api" {
		t.Errorf("listed %s", w.Body)
	}
	for _, name := range []string{
		"id", "name", "phase", "want", "running", "healthy", "lastCheck", "orphaned", "orphanedPid", "orphanKind", "tracking", "pid",
		"port", "startedAt", "restarts", "exit", "adopted", "why", "cpu", "memory", "drift", "nextAttempt", "rev", "dependsOn",
	} {
		if _, ok := got[0][name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"healthy", "lastCheck", "orphanedPid", "orphanKind", "pid", "startedAt", "exit", "cpu", "memory", "nextAttempt"} {
		if got[0][name] != nil {
			t.Errorf("%s is %v, want null", name, got[0][name])
		}
	}
	one := object(t, a.ask("GET", "/api/servers/api", ""))
	if one["id"] != "api" || fmt.Sprint(one["dependsOn"]) != "[db]" {
		t.Errorf("got %v", one)
	}
}

func TestAnOrderIsAnsweredWithSuccessAndMessageAlone(t *testing.T) {
	a := newApp(t)
	for _, c := range []struct{ query, message string }{
		{"action=start", "start accepted: web is running"},
		{"action=start", "start accepted: web is running"},
		{"action=restart&wait=30s", "web restarted"},
		{"action=stop", "stop accepted: web is stopped"},
		{"action=stop", "stop accepted: web is stopped"},
		{"action=start&wait=30s", "web started"},
		{"action=kill&wait=1m", "web killed"},
		{"action=stop&wait=&pid=", "stop accepted: web is stopped"},
	} {
		w := a.ask("POST", "/api/servers/web?"+c.query, "")
		got := object(t, w)
		if w.Code != 200 || len(got) != 2 || got["success"] != true || got["message"] != c.message {
			t.Errorf("%s: %d %s, want %q", c.query, w.Code, w.Body, c.message)
		}
	}
}

func TestAnOrderThatMakesNoSenseIsAnsweredWithASentence(t *testing.T) {
	a := newApp(t)
	for _, c := range []struct {
		target string
		status int
		says   string
	}{
		{"/api/servers/nobody?action=start", 404, `there is no server "nobody"`},
		{"/api/servers/nobody?action=stop&wait=1s", 404, `there is no server "nobody"`},
		{"/api/servers/web", 400, "action is missing"},
		{"/api/servers/web?action=", 400, "action is missing"},
		{"/api/servers/web?action=dance", 400, `action wants start, stop, restart or kill, not "dance"`},
		{"/api/servers/web?action=start&action=stop", 400, "action is given 2 times"},
		{"/api/servers/web?action=start&force=yes", 400, `there is no parameter "force": this call takes action, wait, pid`},
		{"/api/servers/web?action=start&wait=soon", 400, "wait wants a time such as 30s"},
		{"/api/servers/web?action=start&wait=-1s", 400, "wait wants"},
		{"/api/servers/web?action=start&wait=0s", 400, "wait wants"},
		{"/api/servers/web?action=start&wait=1000h", 400, "at most 1h"},
		{"/api/servers/web?action=stop&pid=me", 400, "pid wants a whole number from 1 on"},
		{"/api/servers/web?action=stop&pid=-1", 400, "pid wants"},
		{"/api/servers/web?action=stop&pid=0", 400, "pid wants"},
		{"/api/servers/web?action=kill&pid=5", 400, "pid goes with action=stop"},
		{"/api/servers/web?action=stop&pid=5", 409, "not held by pid 5"},
		{"/api/servers/web?action=start;x", 400, "cannot be read"},
		{"/api/servers/web?action=%zz", 400, "cannot be read"},
		{"/api/servers?action=start", 400, "no server is named"},
		{"/api/servers?action=start&id=web&all=true", 400, "not both"},
		{"/api/servers?action=start&all=maybe", 400, "all wants true or false"},
		{"/api/servers?action=stop&all=true&pid=5", 400, "pid goes with one id"},
		{"/api/servers?action=stop&id=web&id=db&pid=5", 400, "pid goes with action=stop and one server"},
		{"/api/servers?action=stop&id=web&id=nobody", 404, "nobody"},
		{"/api/servers?id=web", 400, "action is missing"},
		{"/api/shutdown?keep=perhaps", 400, "keep wants true or false"},
		{"/api/shutdown?force=true", 400, `there is no parameter "force"`},
	} {
		w := a.ask("POST", c.target, "")
		got := object(t, w)
		message, _ := got["message"].(string)
		if w.Code != c.status || got["success"] != false || got["kind"] == nil || !strings.Contains(message, c.says) {
			t.Errorf("%s: %d %s, want %d and %q", c.target, w.Code, w.Body, c.status, c.says)
		}
	}
	if list := a.Orders(); len(list) != 0 {
		t.Errorf("carried out %v", list)
	}
	for _, target := range []string{"/api/servers?x=1", "/api/servers/web?x=1", "/api/info?x=1", "/api/openapi.yaml?x=1", "/api/events?x=1", "/api/servers/web/logs?x=1"} {
		if w := a.ask("GET", target, ""); w.Code != 400 {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestABulkOrderIsOneOrder(t *testing.T) {
	a := newApp(t)
	for _, c := range []struct {
		query, form string
		want        []string
		message     string
	}{
		{"action=start&id=cache&id=web&id=cache", "", []string{"cache", "web"}, "start accepted for cache, web"},
		{"", "action=stop&id=web&id=cache&wait=10s", []string{"web", "cache"}, "web, cache stopped"},
		{"action=start", "all=true", []string{"web", "db", "api", "cache"}, "start accepted for 4 servers"},
		{"action=stop&all=1", "", []string{"web", "db", "api", "cache"}, "stop accepted for 4 servers"},
		{"action=start&id=db&all=0", "", []string{"db"}, "start accepted: db is running"},
	} {
		w := a.ask("POST", "/api/servers?"+c.query, c.form)
		var got struct {
			Success bool
			Message string
			Servers []services.Status
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || !got.Success || got.Message != c.message {
			t.Errorf("%s %s: %d %s", c.query, c.form, w.Code, w.Body)
		}
		orders := a.Orders()
		if last := orders[len(orders)-1]; !slices.Equal(last.Servers, c.want) || len(got.Servers) != len(c.want) {
			t.Errorf("%s %s: ordered %v, want %v", c.query, c.form, last, c.want)
		}
	}
	if n := len(a.Orders()); n != 5 {
		t.Errorf("%d orders, want one for each request", n)
	}
}

func TestAnOrderForAllLeavesOrphansAlone(t *testing.T) {
	a := newApp(t)
	kind := services.Unconfigured
	a.Set(services.EventOrphan, services.Status{Name: "old", Phase: services.Running, Running: true, Orphaned: true, OrphanKind: &kind, OrphanedPID: 9})
	if w := a.ask("POST", "/api/servers?action=stop&all=true", ""); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := a.Orders()[0].Servers; slices.Contains(got, "old") || len(got) != 4 {
		t.Errorf("ordered %v", got)
	}
}

func TestAThousandNamesFitIntoOneOrder(t *testing.T) {
	var servers []services.Server
	form := url.Values{"action": {"start"}}
	for i := range 1000 {
		name := fmt.Sprintf("%s-%04d", strings.Repeat("n", 58), i)
		servers = append(servers, services.Server{Name: name})
		form.Add("id", name)
	}
	a := newApp(t, servers...)
	if w := a.ask("POST", "/api/servers", form.Encode()); w.Code != 200 {
		t.Fatalf("%d %.200s", w.Code, w.Body)
	}
	if n := len(a.Orders()[0].Servers); n != 1000 {
		t.Errorf("ordered for %d", n)
	}
}

func TestAHeldPortIsAConflictThatNamesTheHolderAndCanBeEnded(t *testing.T) {
	a := newApp(t)
	kind := services.Foreign
	a.Set(services.EventOrphan, services.Status{
		Name: "web", Phase: services.Stopped, Want: services.Down, Port: 80, Running: true, Orphaned: true,
		OrphanKind: &kind, OrphanedPID: 4711, OrphanCommand: "nginx -g x",
	})
	w := a.ask("POST", "/api/servers/web?action=start", "")
	if got := object(t, w); w.Code != 409 || got["kind"] != "conflict" || !strings.Contains(got["message"].(string), "4711 (nginx -g x)") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := a.ask("POST", "/api/servers/web?action=stop&pid=4712", ""); w.Code != 409 {
		t.Errorf("another pid: %d %s", w.Code, w.Body)
	}
	w = a.ask("POST", "/api/servers/web?action=stop&pid=4711&wait=10s", "")
	if got := object(t, w); w.Code != 200 || got["message"] != "pid 4711 has ended: the port of web is free" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := a.Orders(); len(got) != 1 || got[0].Orphan != 4711 {
		t.Errorf("carried out %v", got)
	}
}

func TestAWaitTellsWhatHappenedInstead(t *testing.T) {
	a := newApp(t)
	a.Hold("web")
	w := a.ask("POST", "/api/servers/web?action=start&wait=1ms", "")
	if got := object(t, w); w.Code != 503 || got["success"] != false || !strings.Contains(got["message"].(string), "web starting") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	a.Set(services.EventExited, services.Status{Name: "web", Phase: services.Failed, Want: services.Up, Why: "exited with code 3"})
	a.Hold("web")
	answered := make(chan string)
	go func() { answered <- fmt.Sprint(a.ask("POST", "/api/servers/web?action=start&wait=1h", "")) }()
	for len(a.Orders()) < 2 { // until it has been ordered: then it fails again
		select {
		case text := <-answered:
			t.Fatal(text)
		case <-t.Context().Done():
		default:
		}
	}
	a.Set(services.EventExited, services.Status{Name: "web", Phase: services.Failed, Want: services.Up, Why: "exited with code 3"})
	if text := <-answered; !strings.Contains(text, "409") || !strings.Contains(text, "web exited with code 3") {
		t.Errorf("got %s", text)
	}
}

func TestAWaitEndsWithTheManager(t *testing.T) {
	a := newApp(t)
	a.Hold("web")
	close(a.ending)
	if w := a.ask("POST", "/api/servers/web?action=start&wait=1h", ""); w.Code != 503 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestShutdownSaysWhetherServersAreKept(t *testing.T) {
	a := newApp(t)
	for target, keep := range map[string]bool{"": false, "?keep=true": true, "?keep=false": false, "?keep=": false} {
		w := a.ask("POST", "/api/shutdown"+target, "")
		if got := object(t, w); w.Code != 200 || got["success"] != true || <-a.kept != keep {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

func TestInfoAndHealthAndContract(t *testing.T) {
	a := newApp(t)
	info := object(t, a.ask("GET", "/api/info", ""))
	if info["version"] != "1" || info["pid"] != 7.0 || info["config"] != "/srv/tend.yaml" || info["url"] != "http://127.0.0.1:3030" || info["demo"] != false {
		t.Errorf("info %v", info)
	}
	if w := a.ask("GET", "/healthz", ""); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("health %d %s", w.Code, w.Body)
	}
	if w := a.ask("GET", "/api/openapi.yaml", ""); w.Code != 200 || w.Header().Get("Content-Type") != "application/yaml" || !strings.HasPrefix(w.Body.String(), "openapi: 3.1") {
		t.Errorf("contract %d %.50s", w.Code, w.Body)
	}
}
