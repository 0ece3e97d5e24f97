package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tend/services"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.Local)

// sample has one server of each sort that looks different.
func sample() []services.Status {
	at := func(ago time.Duration) services.Time { return services.Time{Time: noon.Add(-ago)} }
	well, ill := true, false
	foreign, tracking := services.Foreign, services.TrackCgroup
	return []services.Status{
		{Name: "web", Phase: services.Running, Want: services.Up, Running: true, Healthy: &well, PID: 4242, Port: 8080, StartedAt: at(3*time.Hour + 5*time.Minute), Why: "running", Tracking: &tracking, LastCheck: at(2 * time.Second), Command: "./web", DependsOn: []string{"db"}, Adopted: true, Drift: true},
		{Name: "db", Phase: services.Running, Want: services.Up, Running: true, Healthy: &ill, PID: 7, StartedAt: at(26 * time.Hour), Restarts: 3, Why: "nobody answers on port 5432"},
		{Name: "käse", Phase: services.BackOff, Want: services.Up, Why: "exited with code 1", NextAttempt: at(-5 * time.Second), Restarts: 12, Exit: &services.Exit{Code: 1, Seen: true, At: noon.Add(-time.Minute)}},
		{Name: "held", Phase: services.Stopped, Want: services.Down, Running: true, Orphaned: true, OrphanKind: &foreign, OrphanedPID: 99, OrphanCommand: "evil \x1b[2J\u202e\n-x", Port: 80},
	}
}

func TestTheTableIsAlignedAndTellsNothingByColourAlone(t *testing.T) {
	want := `NAME  STATE              HEALTH     PID   PORT  UPTIME  RESTARTS  WHY
web   running            healthy    4242  8080  3h05m   0         running
db    running            unhealthy  7     -     1d02h   3         nobody answers on port 5432
käse  backoff            -          -     -     -       12        exited with code 1
held  stopped, orphaned  -          -     80    -       0         port 80 is held by pid 99 (evil  [2J  -x)
`
	var plain, coloured bytes.Buffer
	if err := printTable(&plain, sample(), noon, painter{}); err != nil || plain.String() != want {
		t.Errorf("printed\n%swant\n%s", &plain, want)
	}
	if err := printTable(&coloured, sample(), noon, painter{true}); err != nil {
		t.Fatal(err)
	}
	text := coloured.String()
	for _, code := range []string{"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"} {
		text = strings.ReplaceAll(text, code, "")
	}
	if text != want || coloured.Len() == plain.Len() {
		t.Errorf("in colour\n%q", coloured.String())
	}
}

func TestOneServerIsShownInDetail(t *testing.T) {
	var out bytes.Buffer
	if err := printDetails(&out, sample()[0], noon, painter{}); err != nil {
		t.Fatal(err)
	}
	want := `name        web
state       running, wanted up
why         running
health      healthy
last check  2030-01-02 11:59:58 (2s ago)
command     ./web
pid         4242
port        8080
started     2030-01-02 08:55:00 (3h05m ago)
restarts    0
depends on  db
tracking    cgroup
adopted     it was started by an earlier manager
drift       it runs with another command than the configuration has now: restart it
`
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", &out, want)
	}
	out.Reset()
	for _, s := range sample()[2:] {
		if err := printDetails(&out, s, noon, painter{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		"last exit     exited with code 1, 2030-01-02 11:59:00 (1m00s ago)\n", "next attempt  2030-01-02 12:00:05 (in 5s)\n",
		"orphan    foreign, pid 99: evil  [2J  -x\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &out)
		}
	}
}

func TestStatusPrintsWhatRESTAnswers(t *testing.T) {
	d := newDesk(t)
	code, out, _ := d.tend("status", "--json")
	var list []services.Status
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list) != 4 || list[0].Name != "web" {
		t.Errorf("all: %d %v %s", code, err, out)
	}
	code, out, _ = d.tend("status", "cache", "web", "--json")
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list) != 2 || list[0].Name != "cache" {
		t.Errorf("two: %d %v %s", code, err, out)
	}
	var one services.Status
	code, out, _ = d.tend("status", "api", "--json")
	if err := json.Unmarshal([]byte(out), &one); err != nil || code != 0 || one.Name != "api" {
		t.Errorf("one: %d %v %s", code, err, out)
	}
	d.expect("status nobody", 3, "", "tend: there is no server \"nobody\"\n")
	d.expect("status web nobody --json", 3, "", "tend: there is no server \"nobody\"\n")
	if _, out, _ := d.tend("status"); strings.Contains(out, "\x1b") || strings.Count(out, "\n") != 5 {
		t.Errorf("the table is %q", out)
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if coloured(file) || coloured(&bytes.Buffer{}) {
		t.Error("a file is coloured")
	}
	device, err := os.OpenFile("/dev/null", os.O_WRONLY, 0) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer device.Close()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if !coloured(device) {
		t.Error("a terminal is not coloured")
	}
	t.Setenv("TERM", "dumb")
	if coloured(device) {
		t.Error("a dumb terminal is coloured")
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	if coloured(device) {
		t.Error("NO_COLOR is ignored")
	}
}

func TestTimesAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 40 * time.Millisecond: "40ms", 59 * time.Second: "59s", time.Minute: "1m00s",
		time.Hour - time.Second: "59m59s", 25 * time.Hour: "1d01h", 23*time.Hour + 59*time.Minute: "23h59m",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestLogsArePrintedAsTheyWereWritten(t *testing.T) {
	d := newDesk(t)
	d.expect("logs web", 0, "\x1b[31mone\ntwo\xff", "")
	if q := d.query(); q.Tail != 100 || q.Follow {
		t.Errorf("asked %+v", q)
	}
	for args, tail := range map[string]int{
		"logs web -n 7": 7, "logs web -n 0": 0, "logs web -n all": -1, "logs web --since 5m": -1, "logs web --grep x": -1,
		"logs web --grep x -n 3": 3, "logs web --since 2030-01-02T03:04:05Z --lines 9": 9,
	} {
		if code, _, errs := d.tend(strings.Fields(args)...); code != 0 || d.query().Tail != tail {
			t.Errorf("%s: %d %s, asked %+v", args, code, errs, d.query())
		}
	}
	d.expect("logs nobody", 3, "", "tend: there is no server \"nobody\"\n")
	d.expect("logs web --json", 0, `{"address":"0.0","next":"0.0","at":null,"text":"\u001b[31mone","cut":false,"partial":false}
{"address":"0.0","next":"0.0","at":null,"text":"two�","raw":"dHdv/w==","cut":false,"partial":true}
`, "")
}

func TestALogIsFollowedUntilCtrlC(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &until{text: "two\xff", then: cancel}
	if code := run(ctx, []string{"logs", "web", "-f", "-n", "all", "--config", filepath.Join(d.dir, "tend.yaml")}, strings.NewReader(""), out, io.Discard); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := out.String(); got != "\x1b[31mone\ntwo\xff" {
		t.Errorf("printed %q", got)
	}
	if q := d.query(); q.Tail < 1<<20 || !q.Follow {
		t.Errorf("asked %+v", q)
	}
}

func TestEventsArePrintedUntilNobodyWantsThemAnyMore(t *testing.T) {
	d := newDesk(t)
	d.Publish(services.Event{Kind: services.EventState, Message: "first\x1b[2J"})
	d.expect("start web", 0, "", "web: started (pid 1001)\n")
	ctx, cancel := context.WithCancel(t.Context())
	out := &until{text: "web is running", then: cancel}
	var errs bytes.Buffer
	if code := run(ctx, []string{"events", "--all", "--data", d.dir + "/.tend"}, nil, out, &errs); code != 0 || errs.Len() > 0 {
		t.Errorf("ended with %d %s", code, &errs)
	}
	if text := out.String(); strings.Contains(text, "reset") || !strings.Contains(text, "  state    first [2J\n") || strings.Contains(text, "\x1b") {
		t.Errorf("printed %q", text)
	}
	ctx, cancel = context.WithCancel(t.Context())
	out = &until{text: "web is running", then: cancel}
	if code := run(ctx, []string{"events", "--json", "--after", "1", "--data", d.dir + "/.tend"}, nil, out, &errs); code != 0 || errs.Len() > 0 {
		t.Errorf("ended with %d %s", code, &errs)
	}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var e services.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == 0 {
			t.Errorf("%v: %s", err, line)
		}
	}
}

// until calls a function once some text has been written.
type until struct {
	bytes.Buffer
	text string
	then func()
}

func (u *until) Write(p []byte) (int, error) {
	n, err := u.Buffer.Write(p)
	if strings.Contains(u.String(), u.text) {
		u.then()
	}
	return n, err
}
