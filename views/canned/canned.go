// Package canned holds servers in every state, for the gallery, for pictures
// and for tests of what the screen shows.
package canned

import (
	"fmt"
	"syscall"
	"time"

	"tend/services"
)

func ptr[T any](v T) *T { return &v }

func at(now time.Time, ago time.Duration) services.Time { return services.Time{Time: now.Add(-ago)} }

// Servers returns a server in each state there is, as of now.
func Servers(now time.Time) []services.Status {
	list := []services.Status{
		{
			Name: "postgres", Group: "data", Description: "orders and accounts", Command: "postgres -D /srv/data",
			Phase: services.Running, Want: services.Up, Why: "running, taken over from an earlier manager", Healthy: ptr(true),
			PID: 1873, Port: 5432, StartedAt: at(now, 41*24*time.Hour+5*time.Hour), Adopted: true, Tracking: ptr(services.TrackCgroup),
		},
		{
			Name: "redis", Group: "data", Description: "cache", Command: "redis-server --port 6379",
			Phase: services.Running, Want: services.Up, Why: "runs, but port 6379 refuses connections since 14:02:11", Healthy: ptr(false),
			PID: 20417, Port: 6379, StartedAt: at(now, 3*time.Hour+12*time.Minute), Restarts: 2, Tracking: ptr(services.TrackCgroup),
			Exit: &services.Exit{Code: -1, Signal: syscall.SIGKILL, At: now.Add(-3*time.Hour - 12*time.Minute), Seen: true},
		},
		{
			Name: "api", Group: "backend", Description: "public API", Command: "./api --port 8080", DependsOn: []string{"postgres", "redis"},
			Phase: services.Running, Want: services.Up, Why: "running", Healthy: ptr(true),
			PID: 20611, Port: 8080, StartedAt: at(now, 17*time.Minute+8*time.Second), Tracking: ptr(services.TrackCgroup), Drift: true,
		},
		{
			Name: "mailer", Group: "backend", Command: "./mailer --queue /var/spool/mail", DependsOn: []string{"redis"},
			Phase: services.Waiting, Want: services.Up, Why: "waiting for redis (port does not answer yet)",
		},
		{
			Name: "worker", Group: "backend", Description: "resizes pictures", Command: "./worker -n 4",
			Phase: services.BackOff, Want: services.Up, Restarts: 7, NextAttempt: services.Time{Time: now.Add(12 * time.Second)},
			Why:  "exited with code 3 at " + now.Add(-4*time.Second).Local().Format("15:04:05") + " after 2.1 s, 7th failure in a row; next attempt at " + now.Add(12*time.Second).Local().Format("15:04:05"),
			Exit: &services.Exit{Code: 3, At: now.Add(-4 * time.Second), Seen: true},
		},
		{
			Name: "search", Group: "backend", Description: "full text", Command: "./search --index /srv/index --listen 127.0.0.1:9200",
			Phase: services.Failed, Want: services.Up, Restarts: 10, Port: 9200,
			Why:  "exited with code 1 at 13:58:40 after 310ms, 11th failure in a row; gave up after 10 restarts: the index directory /srv/index/production/segments-2024 cannot be opened for writing because it belongs to another user",
			Exit: &services.Exit{Code: 1, At: now.Add(-26 * time.Minute), Seen: true},
		},
		{
			Name: "web", Group: "front", Description: "the shop", Command: "node server.js",
			Phase: services.Starting, Want: services.Up, Why: "starting", Port: 3000,
		},
		{
			Name: "preview", Group: "front", Command: "npm run preview", Phase: services.Stopping, Want: services.Down,
			Why: "was sent TERM; SIGKILL follows at " + now.Add(6*time.Second).Local().Format("15:04:05"), PID: 20888, Port: 4173,
			StartedAt: at(now, 52*time.Second), Tracking: ptr(services.TrackGroup),
		},
		{
			Name: "docs", Group: "front", Description: "handbook", Command: "mdbook serve --port 3100",
			Phase: services.Stopped, Want: services.Down, Why: "stopped by an order at 13:12:09; port 3100 is held by pid 9071 (python3 -m http.server 3100)", Port: 3100,
			Orphaned: true, OrphanKind: ptr(services.Foreign), OrphanedPID: 9071, OrphanCommand: "python3 -m http.server 3100", Running: true,
		},
		{
			Name: "migrate", Group: "jobs", Command: "./migrate up", Phase: services.Exited, Want: services.Up,
			Why:  "exited with code 0 at 09:00:03 after 3.0 s",
			Exit: &services.Exit{Code: 0, At: now.Add(-30 * time.Hour), Seen: true},
		},
		{
			Name: "report", Group: "jobs", Description: "nightly numbers", Command: "./report", Phase: services.Stopped, Want: services.Down, Why: "not started",
		},
		{
			Name: "old-proxy", Command: "haproxy -f /etc/haproxy.cfg", Phase: services.Running, Want: services.Up,
			Why: "runs on although it is not configured any more", PID: 1204, StartedAt: at(now, 9*24*time.Hour), Running: true,
			Orphaned: true, OrphanKind: ptr(services.Unconfigured), OrphanedPID: 1204, OrphanCommand: "haproxy -f /etc/haproxy.cfg", Tracking: ptr(services.TrackRecorded),
		},
	}
	for i := range list {
		s := &list[i]
		s.ID, s.Rev = s.Name, 1
		s.Running = s.Running || s.PID != 0
		if s.Port != 0 {
			s.LastCheck = at(now, time.Second)
		}
		if s.DependsOn == nil {
			s.DependsOn = []string{}
		}
		if s.PID != 0 {
			s.Run = fmt.Sprintf("%016x", 0x5eed+i)
		}
	}
	return list
}

// Healthy returns n servers that run and are well, in groups, as of now.
func Healthy(now time.Time, n int) []services.Status {
	names := []string{"api", "cache", "mailer", "postgres", "queue", "web"}
	list := make([]services.Status, n)
	for i := range list {
		name := names[i%len(names)]
		s := services.Status{
			Name: name, Command: "./" + name, Why: "running", Phase: services.Running, Want: services.Up, Healthy: ptr(true), Running: true,
			PID: services.Int(2000 + 7*i), Port: services.Int(3000 + i), StartedAt: at(now, time.Duration(i+1)*97*time.Minute), LastCheck: at(now, time.Second),
			Tracking: ptr(services.TrackCgroup), DependsOn: []string{}, Rev: 1, Run: fmt.Sprintf("%016x", 0x5eed+i),
		}
		if n > len(names) {
			s.Name = fmt.Sprintf("%s-%03d", name, i)
			s.Group = fmt.Sprintf("region %d", 1+i*6/n)
		}
		s.ID = s.Name
		list[i] = s
	}
	return list
}

// Crowd returns n servers, every seventh of them in one of the states of
// Servers, as of now.
func Crowd(now time.Time, n int) []services.Status {
	list, troubled := Healthy(now, n), Servers(now)
	for i := range list {
		if i%7 == 3 {
			s := troubled[i/7%len(troubled)]
			s.ID, s.Name, s.Group = list[i].ID, list[i].Name, list[i].Group
			list[i] = s
		}
	}
	return list
}

// Log returns lines as programs write them: colours, control characters,
// binary bytes, one that is very long.
func Log() [][]byte {
	lines := []string{
		"starting, build 4f2a91c",
		"\x1b[2m14:20:01\x1b[0m \x1b[32mINFO\x1b[0m  listening on \x1b[4mhttp://127.0.0.1:8080\x1b[0m",
		"\x1b[2m14:20:04\x1b[0m \x1b[33mWARN\x1b[0m  slow query \x1b[1m1.2 s\x1b[0m: SELECT * FROM orders WHERE state = 'open' AND customer_id IN (SELECT id FROM customers WHERE country = 'FR') ORDER BY created_at DESC LIMIT 500",
		"\x1b[2m14:20:09\x1b[0m \x1b[31mERROR\x1b[0m cannot reach redis: dial tcp 127.0.0.1:6379: connect: connection refused",
		"\x1b[38;5;208morange\x1b[0m \x1b[38;2;120;200;255mtrue colour\x1b[0m \x1b[7mreversed\x1b[0m \x1b[44;97m on blue \x1b[0m \x1b[9mcrossed\x1b[0m \x1b[3mitalic\x1b[0m",
		"10 %\r50 %\r100 % done",
		"binary: \x00\x01\xff\xfe \u202eevil\u202c <script>alert(1)</script> & \"quotes\"",
		"\tindented by a tab",
		"",
	}
	for i := range 24 {
		lines = append(lines, fmt.Sprintf("\x1b[2m14:20:%02d\x1b[0m \x1b[32mINFO\x1b[0m  GET /orders/%d \x1b[36m200\x1b[0m in %d ms", 10+i, 4100+i*7, 3+i*i%17))
	}
	out := make([][]byte, len(lines))
	for i, line := range lines {
		out[i] = []byte(line)
	}
	return out
}

// Objects returns lines that are objects of JSON, as loggers write them.
func Objects() [][]byte {
	return [][]byte{
		[]byte(`{"time":"2026-01-02T14:20:35Z","level":"INFO","msg":"request done","method":"GET","path":"/orders/4268","ms":12}`),
		[]byte(`{"level":50,"time":1767363636000,"pid":4711,"msg":"cannot reach redis","stack":"Error: connect ECONNREFUSED 127.0.0.1:6379\n    at TCPConnectWrap.afterConnect (node:net:1494:16)"}`),
		[]byte(`{"level":"debug","ts":1767363637.25,"caller":"cache/cache.go:42","msg":"cache miss","key":"orders:4268"}`),
	}
}

// Runs returns what history may know of a server, as of now.
func Runs(now time.Time) []services.PastRun {
	return []services.PastRun{
		{ID: "4", StartedAt: at(now, 17*time.Minute)},
		{ID: "3", StartedAt: at(now, 19*time.Minute), EndedAt: at(now, 17*time.Minute+3*time.Second), Crash: true,
			Exit:  &services.Exit{Code: 1, Seen: true, At: now.Add(-17 * time.Minute)},
			Lines: []string{"listening on 127.0.0.1:8080", "panic: runtime error: index out of range [3] with length 3", "goroutine 17 [running]:"}},
		{ID: "2", StartedAt: at(now, 26*time.Hour), EndedAt: at(now, 19*time.Minute), Exit: &services.Exit{Code: -1, Signal: syscall.SIGTERM, Seen: true}},
		{ID: "1", StartedAt: at(now, 41*24*time.Hour), EndedAt: at(now, 26*time.Hour), Exit: &services.Exit{Code: -1, Signal: syscall.SIGKILL, OOM: true, Seen: true}, Crash: true},
	}
}

// Happenings returns a page of the timeline, as of now.
func Happenings(now time.Time) services.HistoryPage {
	event := func(ago time.Duration, kind services.EventKind, server, message, by string) services.Event {
		return services.Event{At: at(now, ago), Kind: kind, Server: server, Message: message, By: by}
	}
	page := services.HistoryPage{Next: 7, Events: []services.Event{
		event(4*time.Second, services.EventExited, "worker", "worker: exited with code 3 after 2.1 s, 7th failure in a row", "policy"),
		event(70*time.Second, services.EventHealth, "redis", "redis: runs, but port 6379 refuses connections", ""),
		event(17*time.Minute, services.EventStarted, "api", "api: running", "browser 127.0.0.1"),
		event(18*time.Minute, services.EventReload, "", "the configuration was read again: 0 added, 0 removed, 1 restarted, 0 changed in place", "cli alice (uid 1000)"),
		event(26*time.Minute, services.EventFailed, "search", "search: exited with code 1, 11th failure in a row; gave up after 10 restarts", "policy"),
		event(25*time.Hour, services.EventManager, "", "tend 1 manages 12 servers (pid 7)", ""),
		event(25*time.Hour, services.EventAdopted, "postgres", "postgres: running, taken over from an earlier manager", "manager"),
		event(50*time.Hour, services.EventDisk, "", "the disk of the logs is nearly full: 3 % are free", ""),
	}}
	page.Events[0].Crash = true
	return page
}

// Plan returns a plan with everything that a plan may hold.
func Plan() services.Plan {
	return services.Plan{
		Add:       []services.Change{{Server: "cache", Reasons: []string{"new: redis-server --port 6380"}}},
		Remove:    []services.Change{{Server: "preview", Reasons: []string{"not in the file any more"}}},
		Restart:   []services.Change{{Server: "api", Reasons: []string{"command: ./api --port 8080 → ./api --port 8081", "env: LOG_LEVEL changed, TOKEN added"}}},
		Update:    []services.Change{{Server: "worker", Reasons: []string{"backoff: from 100ms to 30s, forgotten after 1m0s → from 1s to 30s, forgotten after 1m0s"}}},
		Unchanged: []string{"postgres", "redis", "web"},
		Later:     []string{"listen: the next tend serve uses it (tend shutdown --keep leaves the servers running)"},
	}
}

// Alerts returns targets of alerts, as of now.
func Alerts(now time.Time) []services.AlertTarget {
	return []services.AlertTarget{
		{Target: "https://example.com", On: []services.AlertOn{services.OnCrash, services.OnGiveUp}, Sent: at(now, time.Hour)},
		{Target: "ntfy://ntfy.sh", On: []services.AlertOn{services.OnDisk}, Servers: []string{"api", "web"}, Error: "it answered 403"},
	}
}

// Tree is the processes of a server with a family.
func Tree(now time.Time) []services.TreeProcess {
	one := func(pid, parent int, command, state string, cpu float64, memory services.Amount) services.TreeProcess {
		return services.TreeProcess{PID: pid, Parent: parent, Command: command, State: state, StartedAt: at(now, time.Hour), CPU: cpu, Memory: memory, Threads: 4}
	}
	return []services.TreeProcess{
		one(20611, 1, "./api --port 8080", "sleeping", 71.25, 182e6), one(20640, 20611, "./api worker 1", "running", 310.4, 96e6),
		one(20641, 20611, "./api worker 2", "sleeping", 12, 91e6), one(20702, 20641, "/usr/bin/convert -resize 800x600 in.png out.png", "waiting", 0.4, 33e6),
		one(20703, 20641, "sh", "zombie", 0, services.Unknown),
	}
}
