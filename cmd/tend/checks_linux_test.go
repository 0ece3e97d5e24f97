package main

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"tend/services"
)

func TestChecksGateAndEndRealServers(t *testing.T) {
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := web.Addr().(*net.TCPAddr).Port
	web.Close()
	closed := strings.TrimPrefix(freeAddress(t), "127.0.0.1:")
	w := newWard(t, 0, nil)
	w.configure(fmt.Sprintf(`servers:
  web: {command: [%q, servant, web, --port, "%[2]d"], port: %[2]d, ready: {http: "http://127.0.0.1:%[2]d/", interval: 100ms}, live: {http: "http://127.0.0.1:%[2]d/", interval: 200ms}}
  dep: {command: [sleep, '1000'], depends_on: [web]}
  never: {command: [sleep, '1000'], ready: {tcp: "127.0.0.1:%[3]s", interval: 100ms, deadline: 400ms}, restart: never}
  ill: {command: [sleep, '1000'], live: {exec: [sh, -c, 'echo bad; exit 3'], interval: 100ms, failures: 2}, restart: never}
  says: {command: 'echo starting; sleep 0.2; echo I am up; sleep 1000', ready: {log: 'am up$', interval: 100ms}}
`, buildTend(t), port, closed))
	w.open()
	dep, server := w.waitFor("dep", services.Running), w.waitFor("web", services.Running)
	if dep.StartedAt.Before(server.StartedAt.Time) {
		t.Errorf("dep started at %v, web at %v", dep.StartedAt, server.StartedAt)
	}
	w.waitFor("says", services.Running)
	for name, says := range map[string]string{
		"never": "it was not ready within 400ms (127.0.0.1:" + closed + ": connection refused); killed by SIGTERM",
		"ill":   "it failed its live check: sh exited with code 3: bad; killed by SIGTERM",
	} {
		if s := w.waitFor(name, services.Failed); !strings.HasPrefix(s.Why, says) {
			t.Errorf("%s: %s, want %s", name, s.Why, says)
		}
	}
	// The next manager finds who was ready, and goes on checking.
	w.kill()
	w.open()
	if s := w.waitFor("web", services.Running); s.PID != server.PID || !s.Adopted {
		t.Errorf("taken over as %+v", s)
	}
	w.until("its life is checked", 10*time.Second, func() string {
		if s := w.status("web"); s.Healthy == nil || !*s.Healthy {
			return s.Why
		}
		return ""
	})
}
