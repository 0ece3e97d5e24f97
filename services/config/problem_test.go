package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tend/services"
)

// problems returns what is wrong with a text, without the name of the file.
func problems(t *testing.T, text string, env ...string) []string {
	t.Helper()
	path := file(t, text)
	_, err := LoadWith(path, environment(env...))
	var ps Problems
	if err != nil && !errors.As(err, &ps) {
		t.Fatalf("%T is not Problems: %v", err, err)
	}
	var out []string
	for _, p := range ps {
		out = append(out, strings.TrimPrefix(p.String(), path+":"))
	}
	return out
}

// Each case is a file, and all that has to be said about it.
func TestProblemsAreNamedWithTheirPlace(t *testing.T) {
	const ok = "servers: {a: {command: a}}\n"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"an unknown key with a near one", "servers:\n  api:\n    comand: ./api\n    command: x\n", []string{
			`3:5: api: comand is not a key that is known here: did you mean "command"?`}},
		{"an unknown key in a map", "servers:\n  api:\n    command: x\n    stop: {signals: INT}\n", []string{
			`4:12: api: stop.signals is not a key that is known here: did you mean "signal"?`}},
		{"an unknown key with no near one", "zzzzzz: 1\n" + ok, []string{
			`1:1: zzzzzz is not a key that is known here: the keys are alerts, auth, data, defaults, exit_on, history, hosts, listen, monitor, servers, tls`}},
		{"a server's key at the top", "command: x\n" + ok, []string{
			`1:1: command belongs to a server, or under defaults: write it below servers: NAME:`}},
		{"a certificate without a key", "tls: {cert: c.pem}\n" + ok, []string{
			`1:6: tls wants a certificate and its key: write {cert: ./cert.pem, key: ./key.pem}, or self-signed`}},
		{"another word for a certificate", "tls: selfsigned\n" + ok, []string{
			`1:6: tls wants {cert: ./cert.pem, key: ./key.pem}, or self-signed, not "selfsigned"`}},
		{"client certificates by nobody", "tls: {cert: c.pem, key: k.pem, client: optional}\n" + ok, []string{
			`1:40: tls.client needs client_ca: the authority whose certificates are taken`}},
		{"client certificates for somebody", "tls: {cert: c.pem, key: k.pem, client_ca: ca.pem, client: sometimes, clientca: x}\n" + ok, []string{
			`1:59: tls.client wants one of required, optional, not "sometimes"`,
			`1:70: tls.clientca is not a key that is known here: did you mean "client_ca"?`}},
		{"secrets that say too little, too much or themselves", "servers:\n  a:\n    command: a\n    env:\n      A: {secret: hunter2}\n      B: {secret: {}}\n      C: {secret: {file: k, command: [k]}}\n      D: {secret: {command: cat hunter2}}\n      E: {secrets: {file: k}}\n      F: {secret: {command: [k], shared: true}}\n      G: {secret: {files: k}}\n      H: {secret: {file: ''}}\n", []string{
			`5:19: a: env.A.secret wants the place of the secret and not the secret: write {secret: {file: ./key}} or {secret: {command: [./tell, key]}}`,
			`6:19: a: env.B.secret does not say where the value is: write {secret: {file: ./key}} or {secret: {command: [./tell, key]}}`,
			`7:38: a: env.C.secret has a file and a command: keep one of them`,
			`8:29: a: env.D.secret.command wants a list that runs as it is, without a shell, such as [./tell, key]`,
			`9:10: a: env.E wants a value such as debug, or {secret: {file: ./key}} or {secret: {command: [./tell, key]}}`,
			`10:42: a: env.F.secret.shared is about a file: remove it`,
			`11:20: a: env.G.secret.files is not a key that is known here: did you mean "file"?`,
			`12:26: a: env.H.secret.file is empty: write a path such as ./key, or remove the key`}},
		{"all problems at once", "listen: 80\nmonitor: {interval: 3}\nservers:\n  A: {command: x}\n  b: {port: 70000}\n  c: {command: x, restart: allways}\n", []string{
			`1:9: listen wants an address and a port: write 127.0.0.1:80`,
			`2:21: monitor.interval wants a unit: write 3s for seconds or 3ms for milliseconds`,
			`4:3: "A" cannot name a server: a name has up to 63 small letters, digits, - and _, and begins with a letter or digit`,
			`5:3: b: has no command: write command: ./program --option`,
			`5:13: b: port wants a number from 1 to 65535, not 70000`,
			`6:28: c: restart wants one of always, on-failure, never, not "allways": did you mean "always"?`}},
		{"a key that stands twice", "servers:\n  a: {command: x}\n  b: {command: x}\n  a: {command: y}\n", []string{
			`4:3: "a" stands here for the second time, first in line 2: remove one of the two`}},
		{"numbers as text and text as numbers", "servers:\n  a:\n    command: 5\n    port: \"80\"\n    autostart: yes\n    description: [x]\n", []string{
			`3:14: a: command wants text, not the number 5: put it in quotes`,
			`4:11: a: port wants a number from 1 to 65535, not the text "80"`,
			`5:16: a: autostart wants true or false, not the text "yes"`,
			`6:18: a: description wants text such as public API, not a list`}},
		{"sizes", "servers:\n  a: {command: a, logs: {max_size: 64}}\n  b: {command: a, logs: {max_size: 64XB}}\n  c: {command: a, logs: {max_size: 1kB}}\n  d: {command: a, logs: {max_size: -1}}\n", []string{
			`2:36: a: logs.max_size wants a unit: write 64MB for megabytes or 64kB for kilobytes`,
			`3:36: b: logs.max_size wants a size such as 500kB, 64MB or 64MiB, not "64XB"`,
			`4:36: c: logs.max_size has to be at least 64kB, not 1kB`,
			`5:36: d: logs.max_size wants a size such as 500kB, 64MB or 64MiB, not "-1"`}},
		{"durations", "servers:\n  a: {command: a, stop: {timeout: soon}}\n  b: {command: a, stop: {timeout: -1s}}\n  c: {command: a, backoff: {min: 5s, max: 1s}}\n  d: {command: a, stop: {timeout: 99999h}}\n", []string{
			`2:35: a: stop.timeout wants a duration such as 500ms, 3s or 1m30s, not "soon"`,
			`3:35: b: stop.timeout has to be at least 0s, not -1s`,
			`4:28: c: backoff has a min (5s) above its max (1s): swap them, or raise max`,
			`5:35: d: stop.timeout has to be at most 10000h0m0s, not 99999h0m0s`}},
		{"give_up", "servers:\n  a: {command: a, backoff: {give_up: 0}}\n  b: {command: a, backoff: {give_up: nevr}}\n  c: {command: a, backoff: {give_up: -1}}\n", []string{
			`2:38: a: backoff.give_up wants never, or after how many restarts in a row to give up, not 0`,
			`3:38: b: backoff.give_up wants never, or after how many restarts in a row to give up, not nevr`,
			`4:38: c: backoff.give_up wants a number from 1 to 2147483647, not -1`}},
		{"signals", "servers:\n  a: {command: a, stop: {signal: TREM}}\n  b: {command: a, success: [256, NOPE]}\n  c: {command: a, success: 3}\n", []string{
			`2:34: a: stop.signal wants a signal's name such as TERM or INT, or a number from 1 to 64, not "TREM"`,
			`3:29: b: success wants a number from 0 to 255, not 256`,
			`3:34: b: success wants a signal's name such as TERM or INT, or a number from 1 to 64, not "NOPE"`,
			`4:28: c: success wants a list of exit codes and signals such as [0, 3, TERM], not the number 3`}},
		{"umask", "servers:\n  a: {command: a, umask: 027}\n  b: {command: a, umask: \"089\"}\n  c: {command: a, umask: 999}\n", []string{
			`2:26: a: umask is octal and wants quotes, since YAML reads numbers in its own way: write "027"`,
			`3:26: b: umask wants up to three octal digits such as "027", not "089"`,
			`4:26: c: umask wants up to three octal digits in quotes such as "027", not 999`}},
		{"paths", "data: \"\"\nservers:\n  a: {command: a, dir: ~/app}\n  b: {command: a, env_file: 5}\n", []string{
			`1:7: data is empty: write a path such as .tend, or remove the key`,
			`3:24: a: dir begins with ~, which only a shell understands: write ${HOME}/app`,
			`4:29: b: env_file wants text, not the number 5: put it in quotes`}},
		{"commands", "servers:\n  a: {command: []}\n  b: {command: \" \"}\n  c: {command: [x, [y]]}\n  d: {command: \"a\\0b\"}\n  e: 5\n  f:\n", []string{
			`2:16: a: command has no program: the first word of the list is what is run, such as [./program, --option]`,
			`3:16: b: command is empty: write command: ./program --option`,
			`4:20: c: command wants text such as --option, not a list`,
			`5:16: d: command holds a NUL character, which no program can be given: remove it`,
			`6:6: e: wants a map such as {command: ./program}, not the number 5`,
			`7:3: f: has no command: write command: ./program --option`}},
		{"environment", "servers:\n  a:\n    command: a\n    env:\n      A=B: x\n      N:\n      L: [1]\n  b: {command: b, env: [A=1]}\n", []string{
			`5:7: a: env has the name "A=B", which no variable can have: write NAME: value`,
			`6:7: a: env.N has no value: write "" for an empty one, or remove it`,
			`7:10: a: env.L wants text such as debug, not a list`,
			`8:24: b: env wants a map such as {LOG_LEVEL: debug}, not a list`}},
		{"thresholds", "servers:\n  a: {command: a, thresholds: {cpu: 90%}}\n  b:\n    command: b\n    thresholds:\n      - {memory: 400, for: 30}\n      - {cpu: 90, action: kill}\n      - {memory: 1kB, cpu: 0%}\n      - {for: 5s}\n      - {cpu: much, fore: 3s}\n      - 5\n      - {cpu: \"-5%\", action: restrat}\n      - {cpu: [1]}\n", []string{
			`2:31: a: thresholds wants a list such as [{memory: 400MB, for: 30s, action: restart}], not a map`,
			`6:18: b: thresholds.memory wants a unit: write 400MB for megabytes or 400kB for kilobytes`,
			`6:28: b: thresholds.for wants a unit: write 30s for seconds or 30ms for milliseconds`,
			`7:15: b: thresholds.cpu wants a percent sign: write 90% for that share of a core (100% is a whole one)`,
			`7:27: b: thresholds.action wants one of alert, restart, not "kill"`,
			`8:9: b: thresholds has memory and cpu in one: write two of them, each with its own time and action`,
			`8:18: b: thresholds.memory has to be at least 100kB, not 1kB`,
			`8:28: b: thresholds.cpu has to be above 0% and at most 100000%, not 0%`,
			`9:9: b: thresholds says neither memory nor cpu: write one of them, such as {memory: 400MB} or {cpu: 90%}`,
			`10:15: b: thresholds.cpu wants a share of a core such as 90% (200% are two cores), not "much"`,
			`10:21: b: thresholds.fore is not a key that is known here: did you mean "for"?`,
			`11:9: b: thresholds wants a map with one or more of action, cpu, for, memory, not the number 5`,
			`12:15: b: thresholds.cpu has to be above 0% and at most 100000%, not -5%`,
			`12:30: b: thresholds.action wants one of alert, restart, not "restrat": did you mean "restart"?`,
			`13:15: b: thresholds.cpu wants a share of a core such as 90% (200% are two cores), not a list`}},
		{"dependencies", "servers:\n  database: {command: d}\n  a: {command: a, depends_on: [databse, zzz, a, database, database]}\n  b: {command: b, depends_on: db}\n", []string{
			`3:32: a: depends_on names "databse", which is no server of this file: did you mean database?`,
			`3:41: a: depends_on names "zzz", which is no server of this file: add it below servers:, or remove it here`,
			`3:46: a: depends_on names a itself: remove it`,
			`3:59: a: depends_on names database twice: remove one of the two`,
			`4:31: b: depends_on wants a list of servers such as [db], not the text "db"`}},
		{"conditions of dependencies", "servers:\n  a: {command: a}\n  b: {command: b, depends_on: {a: {until: completed}}}\n  c: {command: c, depends_on: {a: {until: red, when_lost: stopp}}}\n  t: {command: t, type: task}\n  d: {command: d, depends_on: {t: {until: completed, when_lost: stop}}}\n", []string{
			`3:32: b: depends_on.a.until is completed, but a is no task and never completes: write ready, or add type: task to a`,
			`4:43: c: depends_on.a.until wants one of started, ready, completed, not "red"`,
			`4:59: c: depends_on.a.when_lost wants one of stop, restart, nothing, not "stopp": did you mean "stop"?`,
			`6:32: d: depends_on.t.when_lost is stop, but a task that has completed cannot be lost: remove it`}},
		{"probes", "servers:\n  a: {command: a, ready: {}, live: {tcp: x, interval: -1s}}\n  b: {command: b, ready: {tcp: 'h:1', log: x}, live: {http: 'ftp://x', action: reboot}}\n  c: {command: c, ready: {log: '('}, live: {exec: [], deadline: 3s}, watchdog: 5s}\n  d: {command: d, live: {http: 'https://h', status: [200, 99, 300-200], ca: ./missing.pem, headers: {'a b': c}}}\n  e: {command: e, live: {tcp: 'h:1', contains: x, failures: 0}, ready: {htp: x}}\n  f: {command: f, silence: 5}\n", []string{
			`2:26: a: ready says not what to check: write one of tcp, http, exec or log, such as {tcp: 127.0.0.1:8080}`,
			`2:42: a: live.tcp wants a host and a port such as 127.0.0.1:5432, not "x"`,
			`2:55: a: live.interval has to be at least 50ms, not -1s`,
			`3:26: b: ready checks several things (tcp, log): write one of them`,
			`3:61: b: live.http wants an address such as http://127.0.0.1:8080/healthz, not "ftp://x"`,
			`3:80: b: live.action wants one of restart, alert, none, not "reboot"`,
			`4:32: c: ready.log wants a regular expression (RE2) such as "ready to accept", not "(": missing closing )`,
			`4:51: c: live.exec has no program: write a list such as [pg_isready, -q]`,
			`4:55: c: live.deadline is not a key that is known here: the keys are action, ca, contains, delay, exec, failures, headers, http, insecure, interval, log, status, successes, tcp, timeout`,
			`4:80: c: watchdog needs a server that notifies: add ready: {notify: true}`,
			`5:59: d: live.status wants a status from 100 to 599, or several such as 200-299, not "99"`,
			`5:63: d: live.status wants a status from 100 to 599, or several such as 200-299, not "300-200"`,
			`5:77: d: live.ca cannot be read: no such file or directory`,
			`5:102: d: live.headers has a header that cannot be sent: "a b": write a name such as X-Token and text in one line`,
			`6:48: e: live has a key that only goes with http: remove it`,
			`6:61: e: live.failures wants a number from 1 to 1000, not 0`,
			`6:73: e: ready.htp is not a key that is known here: did you mean "http"?`,
			`7:28: f: silence wants a unit: write 5s for seconds or 5ms for milliseconds`}},
		{"probes that look right", `servers:
  a: {command: a, ready: {notify: false}, live: {exec: [""]}}
  b: {command: b, ready: {http: "http://h:99999/"}, live: {http: "http://h/", insecure: true}}
  c: {command: c, ready: {http: "https://h/", headers: {Größe: 1}}, live: {log: ""}}
  d: {command: d, ready: {tcp: "h:1", delay: 10s, deadline: 5s}, silence: {action: alert}}
  e: {command: e, ready: {notify: true}, watchdog: {every: 0s, action: reboot}}
  f: {command: f, ready: {udp: "h:1"}}
`, []string{
			`2:35: a: ready.notify is false, which checks nothing: write true, or remove ready`,
			`2:56: a: live.exec has no program: write a list such as [pg_isready, -q]`,
			`3:33: b: ready.http wants an address such as http://127.0.0.1:8080/healthz, not "http://h:99999/"`,
			`3:89: b: live has a key that only goes with https, and its address begins with http: write https://, or remove the key`,
			`4:57: c: ready.headers has a header that cannot be sent: "Größe": write a name such as X-Token and text in one line`,
			`4:81: c: live.log is empty, which every line matches: write a regular expression (RE2) such as "ready to accept"`,
			`5:61: d: ready.deadline is over (5s) before the first check (delay: 10s): raise it above the delay`,
			`5:75: d: silence says not how long: write {every: 30s, action: alert}`,
			`6:60: e: watchdog.every has to be at least 10ms, not 0s`,
			`6:72: e: watchdog.action wants one of restart, alert, none, not "reboot"`,
			`7:27: f: ready.udp is not a key that is known here: the keys are ca, contains, deadline, delay, exec, failures, headers, http, insecure, interval, log, notify, status, successes, tcp, timeout`}},
		{"a task that somebody waits for", "servers:\n  t: {command: t, type: task}\n  a: {command: a, depends_on: {t: {until: ready}}}\n  b: {command: b, depends_on: {t: {when_lost: stop}}}\n", []string{
			`3:32: a: depends_on.t.until is ready, but t is a task, and nothing checks whether it is ready: write completed, or started`,
			`4:32: b: depends_on.t.when_lost is stop, but a task that has completed cannot be lost: remove it`}},
		{"numbers of days and empty lists", "history: {keep: 30}\nalerts: [{on: [], webhook: 'https://h/'}]\n" + ok, []string{
			`1:17: history.keep wants a unit: write 30d for days or 30h for hours`,
			`2:15: alerts[0].on is empty: write what to tell of, such as [crash, give_up]`}},
		{"alerts", "alerts:\n  - {on: [crash, giveup], webhook: 'ftp://canary@h/canary'}\n  - {webhook: 'https://h/canary'}\n  - {on: [crash], webhook: 'https://h', notify: 'slak://canary'}\n  - {on: crash, quiet: late, every: 0s, servers: [ap], to: me}\nservers: {api: {command: a}}\n", []string{
			`2:18: alerts[0].on wants one of crash, give_up, unhealthy, recovered, threshold, orphan, disk, not "giveup": did you mean "give_up"?`,
			`2:36: alerts[0].webhook wants an address that begins with https:// or http:// and names a host`,
			`3:5: alerts[1] says not on what: write on: [crash, give_up]`,
			`4:5: alerts[2] wants one target: write webhook: "https://…" or notify: "ntfy://…"`,
			`4:49: alerts[2].notify names slak://, which is no notification service that is known here: did you mean slack?`,
			`5:5: alerts[3] wants one target: write webhook: "https://…" or notify: "ntfy://…"`,
			`5:10: alerts[3].on wants a list such as [crash, give_up], not the text "crash"`,
			`5:24: alerts[3].quiet wants two times of the day such as "22:00-07:00", not "late"`,
			`5:37: alerts[3].every has to be at least 1s, not 0s`,
			`5:51: alerts[3].servers names "ap", which is no server of this file: did you mean api?`,
			`5:56: alerts[3].to is not a key that is known here: the keys are every, notify, on, quiet, servers, webhook`}},
		{"tasks and schedules", "servers:\n  a: {command: a, type: task, restart: always}\n  b: {command: b, schedule: \"@daily\"}\n  c: {command: c, type: task, timezone: UTC}\n  d: {command: d, type: task, overlap: kill}\n  e: {command: e, type: task, schedule: 61 * * * *}\n  f: {command: f, type: task, schedule: 0 0 30 2 *}\n  g: {command: g, type: task, schedule: \"\"}\n  h: {command: h, type: task, schedule: '@daily', timezone: Mars}\n  i: {command: i, type: job}\n", []string{
			`2:40: a: restart is always, but a task ends: write on-failure or never, or schedule: to run it again and again`,
			`3:29: b: schedule is for tasks: add type: task`,
			`4:41: c: timezone belongs to a schedule: add one, or remove it`,
			`5:40: d: overlap belongs to a schedule: add one, or remove it`,
			`6:41: e: schedule "61 * * * *" is not in cron syntax: end of range (61) above maximum (59): "61": write minute, hour, day of the month, month and day of the week, such as "30 3 * * *", with seconds in front if you like, or @daily, @hourly and so on`,
			`7:41: f: schedule never fires: no day is "0 0 30 2 *": change its day or its month`,
			`8:41: g: schedule is empty: write one such as "0 */5 * * * *" (second, minute, hour, day of the month, month, day of the week)`,
			`9:61: h: timezone names no time zone: write one such as Europe/Paris or UTC, not "Mars"`,
			`10:25: i: type wants one of server, task, not "job"`}},
		{"limits", "servers:\n  a: {command: a, limits: {memory: 5, cpu: 2, pids: 0, nice: 20}}\n  b: {command: b, limits: {cpu: 0%, memory: 1kB}}\nexit_on: c\nhistory: {keep: 0d}\n", []string{
			`2:36: a: limits.memory wants a unit: write 5MB for megabytes or 5kB for kilobytes`,
			`2:44: a: limits.cpu wants a percent sign: write 2% for that share of a core (100% is a whole one)`,
			`2:53: a: limits.pids wants a number from 1 to 4194304, not 0`,
			`2:62: a: limits.nice wants a number from -20 to 19, not 20`,
			`3:33: b: limits.cpu has to be above 0% and at most 100000%, not 0%`,
			`3:45: b: limits.memory has to be at least 1000kB, not 1kB`,
			`4:10: exit_on names "c", which is no server of this file: write the name of a server of this file`,
			`5:17: history.keep wants a time from 1h to 3650d such as 30d, not "0d"`}},
		{"a circle", "servers:\n  x: {command: x, depends_on: [a]}\n  a: {command: a, depends_on: [b]}\n  b: {command: b, depends_on: [c]}\n  c: {command: c, depends_on: [a]}\n", []string{
			`5:32: c: depends_on closes a circle in which nobody can start first: a -> b -> c -> a; remove one of these`}},
		{"ports that two want", "listen: 127.0.0.1:8081\nservers:\n  a: {command: a, port: 8080}\n  b: {command: b, port: 8080}\n  c: {command: c, port: 8081}\n", []string{
			`4:25: b: port 8080 is already the port of a: only one can listen on it, so change one of the two`,
			`5:25: c: port 8081 is already the port of the dashboard (listen: 127.0.0.1:8081): only one can listen on it, so change one of the two`}},
		{"an address by name", "listen: example.com:3030\n" + ok, []string{
			`1:9: listen wants localhost or an IP address before the colon, not "example.com": 0.0.0.0 is every address of this machine`}},
		{"every address, in short", "listen: \":3030\"\n" + ok, []string{
			`1:9: listen wants localhost or an IP address before the colon, not "": 0.0.0.0 is every address of this machine`}},
		{"who needs no login", "auth: {local: admin, remote: x}\nhosts: [\"http://a\", \"a:80\", \"*\", 7, fine.example]\n" + ok, []string{
			`1:15: auth.local wants one of operator, login, not "admin"`,
			`1:22: auth.remote is not a key that is known here: the keys are local`,
			`2:9: hosts wants names as browsers show them, without http:// and without a port, such as tend.example.com, not "http://a"`,
			`2:21: hosts wants names as browsers show them, without http:// and without a port, such as tend.example.com, not "a:80"`,
			`2:29: hosts wants names as browsers show them, without http:// and without a port, such as tend.example.com, not "*"`,
			`2:34: hosts wants text, not the number 7: put it in quotes`}},
		{"hosts that are no list", "auth: login\nhosts: a\n" + ok, []string{
			`1:7: auth wants a map with one or more of local, not the text "login"`,
			`2:8: hosts wants a list of names such as [tend.example.com], not the text "a"`}},
		{"an address without a port", "listen: localhost\n" + ok, []string{
			`1:9: listen wants an address and a port such as 127.0.0.1:3030, not "localhost"`}},
		{"a port that is none", "listen: \"localhost:http\"\n" + ok, []string{
			`1:9: listen wants a port from 0 to 65535 after the colon, not "http"`}},
		{"variables", "servers:\n  a:\n    command: run ${MISSING}\n    env: {B: \"${1BAD}\", C: \"${OPEN\"}\n", []string{
			`3:14: a: command needs the variable MISSING, which is not set where tend runs: set it there, or write ${MISSING:-default}, or $${MISSING} to leave it to the shell`,
			"4:14: a: env.B has ${1BAD}, which is not a variable: write ${NAME} or ${NAME:-default}, or $${ for a literal ${",
			"4:28: a: env.C has a ${ without a closing }: write ${NAME}, or $${ for a literal ${"}},
		{"a problem of a shared value is said once", "defaults: {port: x}\nx-c: &c {stop: {to: nobody}}\nservers:\n  a: {<<: *c, command: a}\n  b: {<<: *c, command: b}\n", []string{
			`1:18: defaults: port wants a number from 1 to 65535, not the text "x"`,
			`2:21: a: stop.to wants one of group, main, not "nobody"`}},
		{"an alias without an anchor", "servers:\n  a: *nothing\n", []string{
			`2:6: *nothing refers to an anchor that is not defined before it: write &nothing where the value is`,
			`2:3: a: has no command: write command: ./program --option`}},
		{"a tag", "servers:\n  a: !mine {command: a}\n  b: {command: !!str 5}\n", []string{
			`2:6: the tag !mine is not understood: remove it (quotes turn a value into text)`}},
		{"no server", "listen: 127.0.0.1:3030\n", []string{
			`1:1: there is no server in this file: write one, such as  servers: {web: {command: ./web}}`}},
		{"an empty map of servers", "servers:\n", []string{
			`1:10: servers is empty: write one, such as  servers: {web: {command: ./web}}`}},
		{"a list of servers", "servers:\n  - command: a\n", []string{
			`2:3: servers wants a map of names, such as  servers: {web: {command: ./web}}, not a list`}},
		{"an empty file", "", []string{
			`1:1: there is no server in this file: write one, such as  servers: {web: {command: ./web}}`}},
		{"only a comment", "# soon\n", []string{
			`1:1: there is no server in this file: write one, such as  servers: {web: {command: ./web}}`}},
		{"a list", "- a\n", []string{
			`1:1: a configuration is a map that begins with servers:, not a list`}},
		{"two documents", ok + "---\n" + ok, []string{
			`3:1: a second document begins here: one file holds one configuration, so remove the --- above and what follows it`}},
		{"a tab", "servers:\n\ta: {command: a}\n", []string{
			`2:1: this is not valid YAML: found character '	' that cannot start any token: indent with spaces, YAML does not allow tabs`}},
		{"a variable in braces without quotes", "servers:\n  a: {port: ${PORT}}\n", []string{
			`2:14: this is not valid YAML: ',' or '}' must be specified: inside { } and [ ] a value with ${...} wants quotes, as in {PORT: "${PORT}"}`}},
		{"a program", "\x7fELF\x02\x01\x01\x00", []string{
			`1:1: this is not text but a control character (0x7f): remove it`}},
		{"bytes that are not UTF-8", "servers:\n  a: {command: \"\xff\"}\n", []string{
			`2:17: this is not text: the file has to be YAML in UTF-8`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problems(t, tt.text); !slices.Equal(sorted(got), sorted(tt.want)) {
				t.Errorf("said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func TestHostileFilesGetASentence(t *testing.T) {
	aliases := "x-a: &a {k1: 1, k2: 2, k3: 3, k4: 4, k5: 5, k6: 6, k7: 7, k8: 8, k9: 9}\n"
	for c := 'b'; c <= 'z'; c++ {
		before := "*" + string(c-1)
		aliases += "x-" + string(c) + ": &" + string(c) + " {<<: [" + strings.Repeat(before+", ", 999) + before + "]}\n"
	}
	tests := map[string]struct{ text, want string }{
		"deep lists":        {strings.Repeat("[", 100_000), "nested more than 64 levels deep"},
		"deep maps":         {strings.Repeat("{a: ", 100_000), "nested more than 64 levels deep"},
		"deep dashes":       {strings.Repeat("- ", 100_000), "nested more than 64 levels deep"},
		"deep anchors":      {strings.Repeat("&a ", 100_000) + "x", "this is not valid YAML"},
		"many entries":      {strings.Repeat("a: 1\n", 100_000), "is entry 20001 of one list or map"},
		"many flow entries": {"{" + strings.Repeat("a: 1, ", 200_000) + "}", "is too large: more than 400000 words and signs"},
		"merged merges":     {aliases + "servers: {s: {command: c, <<: *z}}\n", "bring in more than 200000 entries"},
		"ten megabytes":     {strings.Repeat("# nothing to see\n", 600_000), "is larger than 2 MB"},
		"binary":            {string([]byte{0, 1, 2, 3}), "not text but a control character"},
		"UTF-16":            {"\xff\xfes\x00e\x00", "is written in UTF-16"},
		"a long name":       {"servers: {" + strings.Repeat("x", 100_000) + ": {command: a}}", "cannot name a server"},
		"an open quote":     {"servers: {a: {command: \"x\n", "this is not valid YAML"},
		"itself":            {"servers: &s {a: *s}\n", "refers to an anchor that is not defined before it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(problems(t, tt.text), "\n")
			if !strings.Contains(got, tt.want) {
				t.Errorf("said %.300q, want %q", got, tt.want)
			}
			if len(got) > 100_000 {
				t.Errorf("said %d bytes", len(got))
			}
		})
	}
}

func TestARepeatedLargeValueIsBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("defaults:\n  command: [a")
	text.WriteString(strings.Repeat(", b", 15000))
	text.WriteString("]\nservers:\n")
	for i := range 15000 {
		text.WriteString("  s" + strings.Repeat("a", 1+i%9) + string(rune('a'+i/9%26)) + string(rune('a'+i/234%26)) + string(rune('a'+i/6084%26)) + ":\n")
	}
	got := strings.Join(problems(t, text.String()), "\n")
	if !strings.Contains(got, "repeat too much") {
		t.Errorf("said %.300q", got)
	}
}

func TestManyProblemsAreCountedNotPrinted(t *testing.T) {
	got := problems(t, "servers:\n  a:\n"+strings.Repeat("    zz: 1\n", 5000)+"    command: a\n")
	if len(got) != maxProblems+1 || !strings.Contains(got[maxProblems], "more problems: fix these first") {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestProblemsAreInvalidAndReadable(t *testing.T) {
	path := file(t, "nothing: 1\nservers: {a: {}}\n")
	_, err := Load(path)
	if got := services.KindOf(err); got != services.Invalid {
		t.Errorf("kind %q", got)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], path+":2:11: a: has no command") {
		t.Errorf("%q", lines)
	}
}

func TestAFileThatOthersCanWriteIsRefused(t *testing.T) {
	path := file(t, "servers: {a: {command: a}}")
	if err := os.Chmod(path, 0o602); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "can be written by everybody, and its commands would be run: chmod o-w "+path) {
		t.Errorf("said %v", err)
	}
}

func TestAFileOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := file(t, "servers: {a: {command: a}}")
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "belongs to another user (uid 12345)") {
		t.Errorf("said %v", err)
	}
}

func TestWhatIsNoFileGetsASentence(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := makeFifo(fifo); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                         "is a directory: name the file in it, such as " + filepath.Join(dir, "tend.yaml"),
		filepath.Join(dir, "none"):  "there is no such file",
		fifo:                        "is not a regular file",
		filepath.Join(fifo, "file"): "cannot be opened: not a directory",
	} {
		_, err := Load(path)
		if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: said %v, want %q", path, err, want)
		}
	}
}

func TestTheNearestFileUpwardsIsFound(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b", "c")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Find(deep)
	if services.KindOf(err) != services.NotFound || !strings.Contains(err.Error(), "no tend.yaml in "+deep+" or any directory above it") || !strings.Contains(err.Error(), "tend demo") {
		t.Errorf("said %v", err)
	}
	for _, dir := range []string{root, filepath.Join(root, "a", "b")} {
		want := filepath.Join(dir, FileName)
		if err := os.WriteFile(want, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Find(deep); got != want || err != nil {
			t.Errorf("found %s (%v), want %s", got, err, want)
		}
	}
}

func TestAFileWithTheWrongEndingIsPointedOut(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tend.yml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(dir); err == nil || !strings.Contains(err.Error(), "there is a tend.yml: rename it") {
		t.Errorf("said %v", err)
	}
}
