package config

import (
	"testing"

	"tend/services"
)

func TestATaskIsWaitedForUntilItHasCompleted(t *testing.T) {
	c := good(t, `
servers:
  migrate: {command: ./migrate, type: task}
  db: {command: ./db}
  api: {command: ./api, depends_on: [migrate, db]}
  job: {command: ./job, depends_on: {migrate: {until: started}, db: }}
`)
	for i, want := range map[int][]services.Condition{2: {services.UntilCompleted, services.UntilReady}, 3: {services.UntilStarted, services.UntilReady}} {
		for j, until := range want {
			if d := c.Servers[i].DependsOn[j]; d.Until != until || d.WhenLost != services.LostNothing {
				t.Errorf("%s: %+v, want until %s", c.Servers[i].Name, d, until)
			}
		}
	}
}

func TestASignOfLifeThatDoesNotComeHasTheActionOfLive(t *testing.T) {
	c := good(t, `
servers:
  a: {command: a, silence: 5m}
  b: {command: b, silence: 5m, live: {tcp: "h:1", action: none}}
  c: {command: c, silence: {every: 5m, action: alert}, live: {tcp: "h:1"}}
  d: {command: d, ready: {notify: true}, watchdog: {every: 3s, action: alert}}
`)
	for i, want := range []services.ProbeAction{services.ProbeRestart, services.ProbeNone, services.ProbeAlert} {
		if s := c.Servers[i]; s.Silence.Action != want || s.Watchdog.Action != "" {
			t.Errorf("%s: %+v and %+v, want %s", s.Name, s.Silence, s.Watchdog, want)
		}
	}
	if dog := c.Servers[3].Watchdog; dog.Action != services.ProbeAlert {
		t.Errorf("%+v", dog)
	}
}
