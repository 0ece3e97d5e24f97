package main

import (
	"bytes"
	"context"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tend/handlers"
	"tend/services"
	"tend/services/controltest"
	"tend/services/logs"
	"tend/services/remote"
)

// desk is a directory with a configuration, and a manager of a Fake that
// serves it.
type desk struct {
	*controltest.Fake
	t    *testing.T
	dir  string
	kept chan bool
	end  func()
	long time.Time  // since when its last run runs: long enough for a minute not to end in a test
	mu   sync.Mutex // guards what follows
	read []logs.Query
	past []services.HistoryQuery
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir, err := os.MkdirTemp("", "tend-desk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &desk{Fake: controltest.NewFake(controltest.Servers()...), t: t, dir: dir, kept: make(chan bool, 1), long: time.Now().Add(-90*time.Minute - 20*time.Second)}
	d.write("servers:\n  web: {command: web}\n")
	socket, err := remote.SocketPath(filepath.Join(dir, ".tend"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := remote.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ending := make(chan struct{})
	who, damage := openAccess(filepath.Join(dir, ".tend"), slog.New(slog.DiscardHandler))
	if damage != "" {
		t.Fatal(damage)
	}
	srv := &http.Server{ConnContext: handlers.ConnContext(nil), Handler: handlers.New(handlers.Deps{
		Control: d.Fake, Logs: d, History: d, Access: who, Log: slog.New(slog.DiscardHandler), Ending: ending,
		Reload: func(context.Context, bool, string, string) (services.Plan, error) {
			_, err := loadConfig(filepath.Join(dir, "tend.yaml"))
			return services.Plan{}, err
		},
		Info: handlers.Info{URL: "http://127.0.0.1:3030", PID: os.Getpid()},
		Shutdown: func(_ context.Context, keep bool) error {
			d.kept <- keep
			close(ending)
			return nil
		},
	})}
	var serving sync.WaitGroup
	serving.Go(func() { srv.Serve(l) })
	d.end = sync.OnceFunc(func() {
		srv.Close()
		serving.Wait()
	})
	t.Cleanup(d.end)
	return d
}

func (d *desk) write(config string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "tend.yaml"), []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// Read implements handlers.Logs with a log of two lines, the last unfinished.
func (d *desk) Read(ctx context.Context, _ string, q logs.Query) iter.Seq2[logs.Line, error] {
	d.mu.Lock()
	d.read = append(d.read, q)
	d.mu.Unlock()
	return func(yield func(logs.Line, error) bool) {
		_ = yield(logs.Line{Text: []byte("\x1b[31mone")}, nil) && yield(logs.Line{Text: []byte("two\xff"), Partial: true}, nil)
		if q.Follow {
			<-ctx.Done()
		}
	}
}

// Copy implements handlers.Logs.
func (d *desk) Copy(context.Context, string, io.Writer) error { return nil }

func (d *desk) query() logs.Query {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.read[len(d.read)-1]
}

// tend runs a command in the desk's directory.
func (d *desk) tend(args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	return d.tendUntil(d.t.Context(), args...)
}

func (d *desk) tendUntil(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	code = run(ctx, append(args, "--config", filepath.Join(d.dir, "tend.yaml")), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// expect runs a command and compares all that it gives.
func (d *desk) expect(args string, code int, stdout, stderr string) {
	d.t.Helper()
	gotCode, gotOut, gotErr := d.tend(strings.Fields(args)...)
	if gotCode != code || gotOut != stdout || gotErr != stderr {
		d.t.Errorf("tend %s: ended with %d\nstdout %q\nstderr %q\nwant %d\nstdout %q\nstderr %q", args, gotCode, gotOut, gotErr, code, stdout, stderr)
	}
}

func TestACommandThatMakesNoSenseEndsWithTwoAndDoesNothing(t *testing.T) {
	d := newDesk(t)
	for args, says := range map[string]string{
		"dance":                            `there is no command "dance"; see`,
		"strat web":                        `there is no command "strat": did you mean start?`,
		"start":                            "name at least one server, or use --all",
		"stop --all web":                   "name servers or use --all, not both",
		"stop --all --orphan 5":            "--orphan ends one process, never --all",
		"stop web db --orphan 5":           "--orphan goes with one server",
		"stop web --orphan -5":             "--orphan takes the number of a process",
		"stop web --orphan me":             "--orphan me: write a number",
		"start web --orphan 5":             "unknown flag: --orphan",
		"start web --timeout soon":         "--timeout soon: write a time such as 30s",
		"start web --timeout 0s":           "use --no-wait",
		"start web --force":                "unknown flag: --force",
		"logs":                             "accepts 1 arg(s), received 0",
		"logs web db":                      "accepts 1 arg(s), received 2",
		"logs web -n few":                  "--lines few: write a number, or all",
		"logs web -n -1":                   "--lines -1",
		"logs web --grep (":                "regular expression",
		"logs web --since yesterday":       "since wants an age such as 10m",
		"events now":                       "unknown command",
		"history -n 0":                     "--lines 0: write a number from 1 on",
		"history --kind boom":              "kind wants a kind of event",
		"history --since yesterday":        "since wants an age such as 10m",
		"history --runs":                   "--runs goes with one server",
		"history --runs web --kind exited": "--kind selects events, --runs shows runs",
		"events --all --after 5":           "use --all or --after, not both",
		"events --after x":                 "--after x: write a number",
		"completion":                       "name a shell: tend completion bash",
		"completion tcsh":                  "unknown command",
		"reload now":                       "unknown command",
		"check tend.yaml":                  "name the file or use --config, not both",
		"check a b":                        "accepts at most 1 arg(s), received 2",
		"shutdown web":                     "unknown command",
		"open web":                         "unknown command",
		"users bob":                        "unknown command",
		"users add":                        "accepts 1 arg(s)",
		"users add bob --role root":        "\"root\" is not a role: write viewer, operator or admin",
		"users add bob":                    "there is no password: write it into the standard input",
		"users role bob king":              "\"king\" is not a role",
		"tokens add ci --role x":           "\"x\" is not a role",
		"tokens add ci --expires never":    "--expires wants a time from now on such as 30d",
		"sessions revoke":                  "accepts 1 arg(s)",
		"status --yaml":                    "unknown flag: --yaml",
	} {
		code, out, errs := d.tend(strings.Fields(args)...)
		if code != 2 || out != "" || !strings.HasPrefix(errs, "tend: ") || !strings.Contains(errs, says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("tend %s: %d %q %q, want 2 and %q", args, code, out, errs, says)
		}
	}
	if list := d.Orders(); len(list) != 0 {
		t.Errorf("carried out %v", list)
	}
}

func TestWithoutAManagerEveryClientEndsWithFour(t *testing.T) {
	d := newDesk(t)
	d.end()
	path := filepath.Join(d.dir, "tend.yaml")
	want := "tend: no manager is running for " + path + ": start it with `tend serve`\n"
	for _, args := range []string{
		"status", "status web --json", "start web", "stop --all", "restart web", "kill web", "stop web --orphan 5",
		"logs web", "logs web -f", "events", "events --json", "shutdown", "shutdown --keep --no-wait", "open",
	} {
		d.expect(args, 4, "", want)
	}
	d.write("servers: nonsense\n")
	code, _, errs := d.tend("status")
	if code != 4 || !strings.Contains(errs, "tend check") || !strings.Contains(errs, "--data") {
		t.Errorf("with a broken configuration: %d %q", code, errs)
	}
	if code, _, errs := d.tend("status", "--data", filepath.Join(d.dir, "elsewhere")); code != 4 || !strings.Contains(errs, "elsewhere") {
		t.Errorf("with --data: %d %q", code, errs)
	}
}

func TestAManagerIsFoundByABrokenConfigurationAndByItsDataDirectory(t *testing.T) {
	d := newDesk(t)
	d.write("servers: nonsense\n")
	d.expect("start web", 0, "", "web: started (pid 1001)\n")
	if err := os.Remove(filepath.Join(d.dir, "tend.yaml")); err != nil {
		t.Fatal(err)
	}
	d.expect("stop web", 0, "", "web: stopped\n")
	d.expect("stop web --data "+filepath.Join(d.dir, ".tend"), 0, "", "web: stopped\n")
	t.Chdir(t.TempDir())
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"status"}, nil, &errs, &errs); code != 3 || !strings.Contains(errs.String(), "no tend.yaml") {
		t.Errorf("without any configuration: %d %s", code, &errs)
	}
}

func TestOrdersAreCarriedOutAndWaitedFor(t *testing.T) {
	d := newDesk(t)
	d.expect("start api web", 0, "", "api: started (pid 1002)\nweb: started (pid 1003)\n")
	d.expect("start web web", 0, "", "web: started (pid 1003)\n")
	d.expect("restart web", 0, "", "web: restarted (pid 1004)\n")
	d.expect("kill web", 0, "", "web: killed\n")
	d.expect("stop web", 0, "", "web: stopped\n")
	d.expect("start cache --no-wait", 0, "", "cache: start ordered, it is running\n")
	d.expect("stop --all", 0, "", "web: stopped\ndb: stopped\napi: stopped\ncache: stopped\n")
	orders := d.Orders()
	if len(orders) != 7 {
		t.Fatalf("%d orders, want one for each command: %v", len(orders), orders)
	}
	if last := orders[6]; last.Action != services.Stop || strings.Join(last.Servers, " ") != "web db api cache" {
		t.Errorf("stop --all ordered %v", last)
	}
}

func TestAnOrderThatFailsSaysWhy(t *testing.T) {
	d := newDesk(t)
	d.expect("start nobody", 3, "", "tend: there is no server \"nobody\"\n")
	d.expect("stop web nobody", 3, "", "tend: there is no server \"nobody\"\n")
	d.Hold("web")
	d.expect("start web --timeout 200ms", 1, "", "tend: start was ordered but has not come to an end yet: web starting\n")
	kind := services.Foreign
	d.Set(services.EventOrphan, services.Status{
		Name: "web", Phase: services.Stopped, Want: services.Down, Port: 80, Running: true,
		Orphaned: true, OrphanKind: &kind, OrphanedPID: 4711, OrphanCommand: "nginx",
	})
	d.expect("start web", 1, "", "tend: port 80 of web is held by pid 4711 (nginx)\n")
	d.expect("stop web --orphan 12", 1, "", "tend: the port of web is not held by pid 12\n")
	d.expect("stop web --orphan 4711", 0, "", "pid 4711 has ended, the port of web is free\n")
	for _, kind := range services.Kinds {
		d.Refuse(services.Errorf(kind, "so it is"))
		want := map[services.Kind]int{services.NotFound: 3, services.Invalid: 2}[kind]
		if want == 0 {
			want = 1
		}
		if code, _, errs := d.tend("start", "web"); code != want {
			t.Errorf("%s: %d %s, want %d", kind, code, errs, want)
		}
	}
}

func TestNamesOfServersAreCompleted(t *testing.T) {
	d := newDesk(t)
	d.expect("start web", 0, "", "web: started (pid 1001)\n")
	for args, want := range map[string]string{
		"start":     "web\trunning\ndb\tstopped\napi\tstopped\ncache\tstopped\n:4\n",
		"stop web":  "db\tstopped\napi\tstopped\ncache\tstopped\n:4\n",
		"logs":      "web\trunning\ndb\tstopped\napi\tstopped\ncache\tstopped\n:4\n",
		"logs web":  ":4\n",
		"status db": "web\trunning\napi\tstopped\ncache\tstopped\n:4\n",
	} {
		// The flags come first here: what is last is what is being completed.
		all := append([]string{"__complete", "--config", filepath.Join(d.dir, "tend.yaml")}, strings.Fields(args)...)
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(all, ""), nil, &out, &errs); code != 0 || out.String() != want {
			t.Errorf("%s: %d %q %s, want %q", args, code, &out, &errs, want)
		}
	}
	d.end()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"__complete", "--config", filepath.Join(d.dir, "tend.yaml"), "start", ""}, nil, &out, &errs); code != 0 || out.String() != ":4\n" {
		t.Errorf("without a manager: %d %q %s", code, &out, &errs)
	}
}

func TestShutdownWaitsForTheManagersEnd(t *testing.T) {
	for args, keep := range map[string]bool{"shutdown": false, "shutdown --keep": true} {
		d := newDesk(t)
		d.expect(args, 0, "", "the manager has ended\n")
		if got := <-d.kept; got != keep {
			t.Errorf("%s: keep is %v", args, got)
		}
	}
}

func TestOpenPrintsALinkThatSignsIn(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	code, out, errs := newDesk(t).tend("open")
	if key, ok := strings.CutPrefix(out, "http://127.0.0.1:3030/enter?key="); code != 0 || !ok || len(key) != 44 || errs != "" {
		t.Errorf("%d %q %q", code, out, errs)
	}
}

func TestHelpAndVersionAreData(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"help"}, {"start", "--help"}, {"--version"}, {"version"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, nil, &out, &errs); code != 0 || out.Len() == 0 || errs.Len() > 0 {
			t.Errorf("tend %v: %d %q %q", args, code, &out, &errs)
		}
	}
}

func TestARestartOfAllLeavesAloneWhatWasStopped(t *testing.T) {
	list := []services.Status{{Name: "up", Want: services.Up}, {Name: "down", Want: services.Down}}
	if got := allFor(services.Restart, list); len(got) != 1 || got[0] != "up" {
		t.Errorf("restart means %v", got)
	}
	if got := allFor(services.Start, list); len(got) != 2 {
		t.Errorf("start means %v", got)
	}
}
