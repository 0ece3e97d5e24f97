package services_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// TestAnEmptyStatusHasEveryKeyOfTheContract: what is absent is null, and no
// key is ever missing.
func TestAnEmptyStatusHasEveryKeyOfTheContract(t *testing.T) {
	const want = `{"id":"","name":"","description":"","group":"","command":"","dependsOn":[],"neededBy":[],"until":null,"type":"","schedule":"","phase":"","want":"","why":"",` +
		`"running":false,"healthy":null,"lastCheck":null,"run":"","pid":null,"port":null,"startedAt":null,"restarts":0,"exit":null,` +
		`"nextAttempt":null,"nextRun":null,"crashLoop":false,"adopted":false,"tracking":null,"drift":false,"orphaned":false,"orphanedPid":null,"orphanKind":null,` +
		`"orphanCommand":"","limits":"","notified":"","cpu":null,"memory":null,"memoryKind":"","usage":null,"rev":0}`
	got, err := json.Marshal(services.Status{DependsOn: []string{}, NeededBy: []string{}})
	if err != nil || string(got) != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
}

func TestAFullStatusKeepsEverythingOnItsWayThroughJSON(t *testing.T) {
	healthy, cpu, memory := false, 12.5, int64(1<<40)
	tracking, kind := services.TrackCgroup, services.Foreign
	at := services.Time{Time: time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)}
	full := services.Status{
		ID: "api", Name: "api", Description: "public <API>", Group: "backend", Command: "./api --port 8080", DependsOn: []string{"db", "cache"}, NeededBy: []string{"page"}, Until: services.Conditions{"db": services.UntilStarted},
		Type: services.Task, Schedule: "@daily", NextRun: at, CrashLoop: true, Limits: "nice 5", Notified: "serving", Usage: &services.Sample{At: at, State: services.VigourUp, Memory: 1, Files: services.Unknown},
		Phase: services.BackOff, Want: services.Up, Why: "killed by SIGKILL", Running: true, Healthy: &healthy, LastCheck: at,
		Run: "00ff00ff00ff00ff", PID: 4242, Port: 8080, StartedAt: at, Restarts: 3,
		Exit:        &services.Exit{Code: -1, Signal: syscall.SIGKILL, Core: true, At: at.Time, Seen: true},
		NextAttempt: at, Adopted: true, Tracking: &tracking, Drift: true, Orphaned: true, OrphanedPID: 77, OrphanKind: &kind,
		OrphanCommand: "nc -l 8080", CPU: &cpu, Memory: &memory, MemoryKind: services.MemoryRSS, Rev: 1 << 52,
	}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if f := v.Type().Field(i); v.Field(i).IsZero() && f.Tag.Get("json") != "-" {
			t.Errorf("the test forgets %s", v.Type().Field(i).Name)
		}
	}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"until":{"db":"started"}`, `"pid":4242`, `"port":8080`, `"orphanedPid":77`, `"orphanKind":"foreign"`, `"tracking":"cgroup"`, `"healthy":false`,
		`"startedAt":"2026-03-04T05:06:07.089Z"`, `"cpu":12.5`, `"memory":1099511627776`,
		`"exit":{"code":null,"signal":"SIGKILL","core":true,"oom":false,"reason":"killed by SIGKILL (core dumped)","at":"2026-03-04T05:06:07.089Z","seen":true}`,
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%s is not in %s", part, text)
		}
	}
	var got services.Status
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, full)
	}
	var empty services.Status
	if err := json.Unmarshal([]byte(`{"pid":null,"startedAt":null,"exit":null,"healthy":null}`), &empty); err != nil || !reflect.DeepEqual(empty, services.Status{}) {
		t.Errorf("%v: null is read as %+v", err, empty)
	}
}

func TestTimesAreRFC3339WithMilliseconds(t *testing.T) {
	for want, at := range map[string]time.Time{
		`null`:                            {},
		`"2026-01-02T03:04:05.000Z"`:      time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		`"2026-01-02T03:04:05.999Z"`:      time.Date(2026, 1, 2, 3, 4, 5, 999_999_999, time.UTC), // cut off: never in the future
		`"2026-01-02T03:04:05.120+05:30"`: time.Date(2026, 1, 2, 3, 4, 5, 120_000_000, time.FixedZone("", 5*3600+1800)),
		`"1970-01-01T00:00:00.000Z"`:      time.Unix(0, 0).UTC(), // a time, not the absence of one
	} {
		text, err := json.Marshal(services.Time{Time: at})
		if err != nil || string(text) != want {
			t.Errorf("%v is %s, %v, want %s", at, text, err, want)
		}
		if _, err := time.Parse(time.RFC3339, strings.Trim(want, `"`)); err != nil && want != "null" {
			t.Error(err)
		}
		got := services.Time{Time: time.Now()}
		if err := json.Unmarshal(text, &got); err != nil || !got.Equal(at.Truncate(time.Millisecond)) {
			t.Errorf("%s is read as %v, %v", text, got, err)
		}
	}
	for _, text := range []string{`"yesterday"`, `17`, `""`, `{}`, `"2026-01-02"`} {
		var got services.Time
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is read as %v", text, got)
		}
	}
}

func TestAbsentNumbersAreNull(t *testing.T) {
	for want, n := range map[string]services.Int{"null": 0, "1": 1, "-7": -7, "4194304": 4194304} {
		text, err := json.Marshal(n)
		if err != nil || string(text) != want {
			t.Errorf("%d is %s, %v", n, text, err)
		}
		var got services.Int
		if err := json.Unmarshal(text, &got); err != nil || got != n {
			t.Errorf("%s is read as %d, %v", text, got, err)
		}
	}
}

func TestEveryPhaseIsListedOnce(t *testing.T) {
	seen := make(map[services.Phase]bool)
	for _, p := range services.Phases {
		if seen[p] || p == "" || strings.ToLower(string(p)) != string(p) {
			t.Errorf("phase %q", p)
		}
		seen[p] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d phases", len(seen))
	}
}
