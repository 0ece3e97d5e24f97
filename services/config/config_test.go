package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// file writes a configuration into a directory of its own.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func environment(pairs ...string) Lookup {
	vars := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

func good(t *testing.T, text string, env ...string) *Config {
	t.Helper()
	c, err := LoadWith(file(t, text), environment(env...))
	if err != nil {
		t.Fatalf("a good file was refused:\n%v", err)
	}
	return c
}

func TestEveryKeyIsRead(t *testing.T) {
	path := file(t, `
listen: 127.0.0.1:4040
data: var/tend
monitor: {interval: 500ms}
defaults:
  restart: always
  env: {SHARED: "1", LEVEL: info}
  backoff: {max: 10s}
servers:
  db:
    command: [postgres, -D, data, -p, 5432]
    port: 5432
    stop: {signal: INT, timeout: 20s, to: main}
  api:
    description: public API
    group: backend
    command: ./api --port 8080
    dir: ./api
    env: {LEVEL: debug, RATIO: 1.10, ON: true, EMPTY: ""}
    env_file: .env
    user: www-data
    umask: "027"
    port: 8080
    depends_on: [db]
    restart: never
    success: [0, 3, TERM]
    backoff: {min: 1s, reset: 2m, give_up: 10}
    autostart: false
    logs: {max_size: 1MiB}
    limits: {nofile: 4096, memory: 512MB, cpu: 150%, pids: 200, nice: -5}
    thresholds: [{memory: 400MB, for: 30s, action: restart}, {cpu: 90%, for: 5m, action: alert}]
    ready: {http: "https://127.0.0.1:8080/ok", status: [200, "201-204"], contains: fine, headers: {Host: api}, insecure: true, delay: 1s, deadline: 30s, successes: 2}
    live: {exec: [./check, -q], interval: 5s, timeout: 2s, failures: 4, action: alert}
    silence: 5m
history: {keep: 90d}
auth: {local: login}
hosts: [Tend.example.com., box, 192.0.2.7, box]
exit_on: api
alerts:
  - {on: [crash, give_up, crash], webhook: "https://example.com/hook?token=1", servers: [api], every: 1m}
  - {on: [disk], notify: "ntfy://ntfy.sh/topic", quiet: "22:00-07:30"}
`)
	c, err := LoadWith(path, environment())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	want := &Config{
		Path: path, Dir: dir, Data: filepath.Join(dir, "var/tend"),
		Listen: "127.0.0.1:4040", Monitor: Monitor{Interval: 500 * time.Millisecond}, History: History{Keep: 90 * 24 * time.Hour}, ExitOn: "api",
		Auth: Auth{Local: LocalLogin}, Hosts: []string{"tend.example.com", "box", "192.0.2.7"},
		Alerts: []services.AlertRule{
			{On: []services.AlertOn{services.OnCrash, services.OnGiveUp}, Webhook: "https://example.com/hook?token=1", Servers: []string{"api"}, Every: time.Minute},
			{On: []services.AlertOn{services.OnDisk}, Notify: "ntfy://ntfy.sh/topic", Every: DefaultEvery, Quiet: services.QuietHours{From: 22 * time.Hour, To: 7*time.Hour + 30*time.Minute}},
		},
		Servers: []services.Server{
			{
				Name: "db", Command: services.Command{Argv: []string{"postgres", "-D", "data", "-p", "5432"}},
				Dir: dir, Env: map[string]string{"SHARED": "1", "LEVEL": "info"}, Umask: -1, Port: 5432, Autostart: true,
				Type: services.Service, Schedule: services.Schedule{Overlap: services.OverlapSkip},
				Restart: services.RestartAlways,
				Backoff: services.Backoff{Min: 100 * time.Millisecond, Max: 10 * time.Second, Reset: time.Minute},
				Stop:    services.StopPolicy{Signal: syscall.SIGINT, Timeout: 20 * time.Second, To: services.ToMain},
				Logs:    services.LogPolicy{MaxSize: 64_000_000},
			},
			{
				Name: "api", Description: "public API", Group: "backend",
				Command: services.Command{Shell: "./api --port 8080"},
				Dir:     filepath.Join(dir, "api"), EnvFile: filepath.Join(dir, ".env"), User: "www-data", Umask: 0o27, Limits: services.Limits{NoFile: 4096, Memory: 512_000_000, CPU: 150, PIDs: 200, Nice: -5},
				Env:  map[string]string{"SHARED": "1", "LEVEL": "debug", "RATIO": "1.10", "ON": "true", "EMPTY": ""},
				Port: 8080, DependsOn: services.DependOn("db"), Type: services.Service, Schedule: services.Schedule{Overlap: services.OverlapSkip}, Restart: services.RestartNever,
				Success: services.Success{Codes: []int{0, 3}, Signals: []syscall.Signal{syscall.SIGTERM}},
				Backoff: services.Backoff{Min: time.Second, Max: 10 * time.Second, Reset: 2 * time.Minute, GiveUp: 10},
				Stop:    services.StopPolicy{Signal: syscall.SIGTERM, Timeout: 10 * time.Second, To: services.ToGroup},
				Logs:    services.LogPolicy{MaxSize: 1 << 20},
				Ready: &services.Probe{
					HTTP:  &services.HTTPProbe{URL: "https://127.0.0.1:8080/ok", Status: []services.StatusRange{{From: 200, To: 200}, {From: 201, To: 204}}, Contains: "fine", Headers: map[string]string{"Host": "api"}, Insecure: true},
					Delay: time.Second, Interval: time.Second, Timeout: time.Second, Successes: 2, Failures: 1, Deadline: 30 * time.Second,
				},
				Live:    &services.Probe{Exec: []string{"./check", "-q"}, Interval: 5 * time.Second, Timeout: 2 * time.Second, Successes: 1, Failures: 4, Action: services.ProbeAlert},
				Silence: services.Pulse{Every: 5 * time.Minute, Action: services.ProbeAlert},
				Thresholds: []services.Threshold{
					{Memory: 400e6, For: 30 * time.Second, Action: services.ThresholdRestart},
					{CPU: 90, For: 5 * time.Minute, Action: services.ThresholdAlert},
				},
			},
		},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("read\n%+v\nwant\n%+v", c, want)
	}
}

func TestTheSmallestFileHasEveryDefault(t *testing.T) {
	path := file(t, "servers: {web: {command: ./web}}\n")
	c, err := LoadWith(path, environment())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	server := base(dir)
	server.Name, server.Command.Shell = "web", "./web"
	want := &Config{Path: path, Dir: dir, Data: filepath.Join(dir, ".tend"), Listen: DefaultListen,
		Monitor: Monitor{Interval: DefaultInterval}, History: History{Keep: DefaultKeep}, Auth: Auth{Local: LocalOperator}, Servers: []services.Server{server}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("read\n%+v\nwant\n%+v", c, want)
	}
}

func TestAnchorsAndMergeKeysWork(t *testing.T) {
	c := good(t, `
x-common: &common
  restart: never
  env: &env {A: a, B: b}
servers:
  one:
    <<: *common
    command: one
    env: {<<: *env, B: mine}
  two:
    restart: always
    <<: [*common]
    command: &cmd [two, again]
  three: {command: *cmd}
`)
	one, two, three := c.Servers[0], c.Servers[1], c.Servers[2]
	if one.Restart != services.RestartNever || one.Env["A"] != "a" || one.Env["B"] != "mine" {
		t.Errorf("one: %+v", one)
	}
	if two.Restart != services.RestartAlways || two.Env["B"] != "b" {
		t.Errorf("two: what stands in the server has to win over what is merged: %+v", two)
	}
	if !reflect.DeepEqual(three.Command.Argv, []string{"two", "again"}) {
		t.Errorf("three: %+v", three)
	}
}

func TestServersShareNoMemory(t *testing.T) {
	c := good(t, "defaults: {env: {A: a}, command: [x, y], thresholds: [{cpu: 50%}]}\nservers: {one: , two: {env: {A: b}}}\n")
	c.Servers[1].Env["C"] = "c"
	c.Servers[1].Command.Argv[0] = "z"
	c.Servers[1].Thresholds[0].CPU = 1
	if len(c.Servers[0].Env) != 1 || c.Servers[0].Env["A"] != "a" || c.Servers[0].Command.Argv[0] != "x" || c.Servers[0].Thresholds[0].CPU != 50 {
		t.Errorf("a change of one server reached another: %+v", c.Servers[0])
	}
}

func TestADependencyInTheDefaultsIsForTheOthers(t *testing.T) {
	c := good(t, "defaults: {depends_on: [db]}\nservers: {db: {command: db}, api: {command: api}, cron: {command: c, depends_on: {}}}\n")
	for i, want := range [][]string{nil, {"db"}, nil} {
		if got := c.Servers[i].Needs(); !slices.Equal(got, want) {
			t.Errorf("%s depends on %v, want %v", c.Servers[i].Name, got, want)
		}
	}
}

func TestADependencyHasAConditionAndALostAction(t *testing.T) {
	c := good(t, "servers: {a: {command: a}, b: {command: b, type: task}, c: {command: c, depends_on: {a: {}, b: {until: completed}}}, d: {command: d, depends_on: {a: {until: started, when_lost: restart}}}}\n")
	want := []services.Dependency{{Name: "a", Until: services.UntilReady, WhenLost: services.LostNothing}, {Name: "b", Until: services.UntilCompleted, WhenLost: services.LostNothing}}
	if got := c.Servers[2].DependsOn; !slices.Equal(got, want) {
		t.Errorf("depends on %v", got)
	}
	want = []services.Dependency{{Name: "a", Until: services.UntilStarted, WhenLost: services.LostRestart}}
	if got := c.Servers[3].DependsOn; !slices.Equal(got, want) {
		t.Errorf("depends on %v", got)
	}
}

func TestATaskRunsOnceUnlessItIsToldOtherwise(t *testing.T) {
	c := good(t, "defaults: {restart: always, timezone: UTC}\nservers:\n  a: {command: a, type: task}\n  b: {command: b, type: task, restart: on-failure, schedule: '0  3 * * *', timezone: Europe/Paris, overlap: kill}\n  c: {command: c}\n")
	if a := c.Servers[0]; a.Type != services.Task || a.Restart != services.RestartNever {
		t.Errorf("%+v", a)
	}
	b := c.Servers[1]
	if want := (services.Schedule{Cron: "0 3 * * *", Zone: "Europe/Paris", Overlap: services.OverlapKill}); b.Schedule != want || b.Restart != services.RestartOnFailure {
		t.Errorf("%+v", b)
	}
	if s := c.Servers[2]; s.Type != services.Service || s.Restart != services.RestartAlways {
		t.Errorf("%+v", s)
	}
}

func TestATimetableKnowsSecondsZonesAndTheSwitchToSummerTime(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cron        string
		after, want time.Time
	}{
		{"*/5 * * * * *", time.Date(2026, 1, 1, 12, 0, 1, 0, time.UTC), time.Date(2026, 1, 1, 12, 0, 5, 0, time.UTC)},
		{"0 3 * * *", time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 7, 2, 1, 0, 0, 0, time.UTC)},
		{"30 2 * * *", time.Date(2026, 3, 29, 0, 0, 0, 0, paris), time.Date(2026, 3, 29, 3, 30, 0, 0, paris)}, // there is no 2:30 on this day
		{"@daily", time.Date(2026, 3, 1, 12, 0, 0, 0, paris), time.Date(2026, 3, 2, 0, 0, 0, 0, paris)},
	} {
		next, err := Timetable(services.Schedule{Cron: c.cron, Zone: "Europe/Paris"})
		if err != nil {
			t.Fatal(err)
		}
		if got := next(c.after); !got.Equal(c.want) {
			t.Errorf("%s after %v: %v, want %v", c.cron, c.after, got, c.want)
		}
	}
}

func TestValuesAreReadInTheirForms(t *testing.T) {
	sizes := map[string]int64{"64MB": 64e6, "64MiB": 64 << 20, "100kB": 1e5, "1.5GB": 15e8, "1 TiB": 1 << 40, "70000B": 70000}
	for text, want := range sizes {
		if got := good(t, "servers: {a: {command: a, logs: {max_size: "+text+"}}}").Servers[0].Logs.MaxSize; got != want {
			t.Errorf("max_size %s is %d, want %d", text, got, want)
		}
	}
	times := map[string]time.Duration{"3s": 3 * time.Second, "1m30s": 90 * time.Second, "0": 0, "0s": 0, "1.5s": 1500 * time.Millisecond, `"2h"`: 2 * time.Hour}
	for text, want := range times {
		if got := good(t, "servers: {a: {command: a, stop: {timeout: "+text+"}}}").Servers[0].Stop.Timeout; got != want {
			t.Errorf("timeout %s is %s, want %s", text, got, want)
		}
	}
	signals := map[string]syscall.Signal{"INT": syscall.SIGINT, "sigquit": syscall.SIGQUIT, "15": syscall.SIGTERM, `"9"`: syscall.SIGKILL}
	for text, want := range signals {
		if got := good(t, "servers: {a: {command: a, stop: {signal: "+text+"}}}").Servers[0].Stop.Signal; got != want {
			t.Errorf("signal %s is %s, want %s", text, got, want)
		}
	}
	if got := good(t, "servers: {a: {command: a, backoff: {give_up: never}, user: 1000}}").Servers[0]; got.Backoff.GiveUp != 0 || got.User != "1000" {
		t.Errorf("%+v", got)
	}
}

func TestThresholdsAreReadInTheirForms(t *testing.T) {
	const restart, alert = services.ThresholdRestart, services.ThresholdAlert
	for text, want := range map[string][]services.Threshold{
		"[]":                                   nil,
		"[{memory: 1MiB}]":                     {{Memory: 1 << 20, For: 30 * time.Second, Action: alert}},
		"[{cpu: 12.5%, for: 0}]":               {{CPU: 12.5, Action: alert}},
		`[{cpu: "${SHARE}", action: restart}]`: {{CPU: 250, For: 30 * time.Second, Action: restart}},
		"[{cpu: 90 %}, {cpu: 90%}]":            {{CPU: 90, For: 30 * time.Second, Action: alert}, {CPU: 90, For: 30 * time.Second, Action: alert}},
	} {
		c := good(t, "defaults: {thresholds: [{cpu: 1%}]}\nservers: {a: {command: a, thresholds: "+text+"}, b: {command: b}}", "SHARE", "250%")
		if got := c.Servers[0].Thresholds; !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, want %+v", text, got, want)
		}
		if got := c.Servers[1].Thresholds; len(got) != 1 || got[0].CPU != 1 {
			t.Errorf("the default is %+v", got)
		}
	}
}

func TestLinesOfCommandsKeepWhatTheShellNeeds(t *testing.T) {
	c := good(t, "servers:\n  a:\n    command: |\n      for i in 1 2; do\n        echo $i $HOME $$$$ $(pwd) ${PORT} $${PORT}\n      done\n", "PORT", "80")
	want := "for i in 1 2; do\n  echo $i $HOME $$ $(pwd) 80 ${PORT}\ndone\n"
	if got := c.Servers[0].Command.Shell; got != want {
		t.Errorf("the shell gets %q, want %q", got, want)
	}
}

func TestVariablesBecomeNumbersAndTruths(t *testing.T) {
	c := good(t, `
listen: "${HOST:-127.0.0.1}:${LISTEN:-3031}"
servers:
  a:
    command: a
    port: ${PORT}
    autostart: ${AUTO:-false}
    dir: ${DIR:-/srv}/app
    limits: {nofile: "${FILES}"}
`, "PORT", "8080", "FILES", "100")
	s := c.Servers[0]
	if c.Listen != "127.0.0.1:3031" || s.Port != 8080 || s.Autostart || s.Dir != "/srv/app" || s.Limits.NoFile != 100 {
		t.Errorf("%s %+v", c.Listen, s)
	}
}

func TestByteOrderMarkAndCarriageReturnsAreHarmless(t *testing.T) {
	c := good(t, "\ufeffservers:\r\n  a:\r\n    command: run it\r\n    port: 80\r\n")
	if s := c.Servers[0]; s.Name != "a" || s.Command.Shell != "run it" || s.Port != 80 {
		t.Errorf("%+v", s)
	}
}

func TestAThousandServersAreReadQuickly(t *testing.T) {
	var text strings.Builder
	text.WriteString("servers:\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "  server-%d:\n    command: [./server, --port, %d]\n    port: %d\n", i, 10000+i, 10000+i)
	}
	begin := time.Now()
	c := good(t, text.String())
	if len(c.Servers) != 1000 || c.Servers[999].Name != "server-999" {
		t.Fatalf("%d servers", len(c.Servers))
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("reading took %s", took)
	}
}
