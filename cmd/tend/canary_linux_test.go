package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"tend/services"
)

// canary is in every secret of the test, in whatever form one is met.
const canary = "7f3a9c51"

// heard collects what a webhook was sent.
type heard struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (h *heard) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(text)
}

func (h *heard) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// indiscreet is a configuration whose servers let their secrets out wherever
// they can.
const indiscreet = `
defaults:
  env: {KEY: {secret: {file: ./key}}}
alerts:
  - {on: [crash, give_up, unhealthy], webhook: "WEBHOOK", every: 1s}
servers:
  talker:
    command: [sh, -c, 'echo "I know $KEY"; printf "%s" "$KEY" >&2; exec sleep 1000 "$@" 2>/dev/null || exec sh -c "sleep 1000; : \"$KEY\"" "$KEY"']
    live: {exec: [sh, -c, 'echo "bad: $KEY"; exit 1'], interval: 100ms, failures: 1, action: none}
  teller:
    command: [sh, -c, 'while :; do sleep 1; done', "x"]
    env: {KEY: {secret: {command: [cat, ./key2]}}, ARGS: "1"}
  crasher:
    command: [sh, -c, 'echo "my last words: $KEY"; exit 3']
    backoff: {min: 100ms, max: 200ms, give_up: 3}
  argued:
    command: [sh, -c, 'sh -c "sleep 1000; :" x "$KEY"']
  keyless:
    command: [sleep, "1000"]
    env: {KEY: {secret: {command: [sh, -c, 'cat key2; cat key2 >&2; exit 3']}}}
    restart: never
`

func openCanary(t *testing.T) (*ward, *heard) {
	t.Helper()
	told := &heard{}
	hook := httptest.NewServer(told)
	t.Cleanup(hook.Close)
	w := newWard(t, 0, nil)
	for name, text := range map[string]string{"key": "can\"ary " + canary + "\n", "key2": "other-" + canary + "\nand-a-second-line-" + canary + "\n"} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.configure(strings.ReplaceAll(indiscreet, "WEBHOOK", hook.URL))
	w.open()
	w.waitFor("crasher", services.Failed)
	w.waitFor("keyless", services.Failed)
	w.waitFor("teller", services.Running)
	w.waitFor("argued", services.Running)
	w.until("the check of talker fails", 20*time.Second, func() string {
		if s := w.status("talker"); s.Healthy == nil || *s.Healthy {
			return s.Why
		}
		return ""
	})
	return w, told
}

// routePaths are the patterns of every route there is, by method.
func routePaths(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../handlers/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s(get|stream|post)\("([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		out[m[1]] = append(out[m[1]], m[2])
	}
	if len(out["get"]) < 20 || len(out["stream"]) < 5 || len(out["post"]) < 5 {
		t.Fatalf("too few routes are found: %v", out)
	}
	return out
}

// searcher looks for the canary in what it is given.
type searcher struct {
	*ward
	base string
}

func (s searcher) look(where, text string) {
	s.t.Helper()
	if at := strings.Index(text, canary); at >= 0 {
		s.t.Errorf("%s: …%s…", where, text[max(0, at-80):min(len(text), at+40)])
	}
}

// fetch asks for an address and looks at the answer, as far as it comes soon.
func (s searcher) fetch(method, path string, soon time.Duration) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), soon)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			s.t.Errorf("%s %s: %v", method, path, err)
		}
		return ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body) // streams end with ctx
	s.look(method+" "+path, string(text)+fmt.Sprint(res.Header))
	return string(text)
}

func (s searcher) walk() {
	s.t.Helper()
	names := []string{"talker", "teller", "crasher", "argued", "keyless"}
	fill := func(pattern string) (out []string) {
		if !strings.Contains(pattern, "{id}") {
			return []string{pattern}
		}
		for _, name := range names {
			out = append(out, strings.NewReplacer("{id}", name, "{action}", "restart", "{pid}", "1").Replace(pattern))
		}
		return out
	}
	routes := routePaths(s.t)
	for _, pattern := range routes["get"] {
		for _, path := range fill(pattern) {
			s.fetch("GET", path, 20*time.Second)
		}
	}
	for _, pattern := range routes["stream"] {
		for _, path := range fill(pattern) {
			s.fetch("GET", path, 300*time.Millisecond)
		}
	}
	for _, path := range []string{
		"/logs?server=talker&server=crasher&q=can", "/servers/talker/logs?q=can&only=true", "/servers/talker/logs/search?q=" + canary, "/logs/search?server=talker&server=crasher&q=" + canary,
		"/api/servers/talker/logs?grep=know", "/api/servers/talker/logs?grep=" + canary, "/api/servers/crasher/logs?tail=3", "/api/history?limit=1000", "/timeline?q=can", "/api/events?after=0",
	} {
		s.fetch("GET", path, time.Second)
	}
	if text := s.fetch("GET", "/api/servers/talker/logs?grep="+canary, time.Second); text != "" {
		s.t.Errorf("a search can find out what is hidden: %q", text)
	}
	if text := s.fetch("GET", "/api/servers/talker/logs", time.Second); !strings.Contains(text, "I know [secret]") {
		s.t.Errorf("the log says %q", text)
	}
	for _, topic := range append([]string{"overview", "graph"}, "server:talker", "server:argued") {
		s.listen(topic)
	}
}

// listen looks at what a page is pushed at first.
func (s searcher) listen(topic string) {
	s.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.base, "http")+"/ws?topic="+topic, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		s.look("websocket "+topic, string(text))
	}
}

// files looks at every file of the data directory but at the logs themselves,
// which are the servers' own.
func (s searcher) files() {
	s.t.Helper()
	seen := 0
	err := filepath.WalkDir(filepath.Join(s.dir, ".tend"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".log") {
			return err
		}
		text, err := os.ReadFile(path)
		seen++
		s.look(path, string(text))
		return err
	})
	if err != nil || seen < 3 {
		s.t.Errorf("%d files: %v", seen, err)
	}
}

func (s searcher) commands() {
	s.t.Helper()
	for _, args := range [][]string{
		{"status"}, {"status", "talker"}, {"status", "--json"}, {"logs", "talker"}, {"logs", "crasher"}, {"history"}, {"history", "crasher", "--runs"}, {"history", "--json"},
		{"check"}, {"check", "--json"}, {"open"}, {"alerts"}, {"alerts", "test"}, {"reload", "--dry-run"}, {"start", "keyless"}, {"restart", "crasher"}, {"kill", "argued"}, {"start", "argued"},
	} {
		_, out, errs := s.tend(args...)
		s.look("tend "+strings.Join(args, " "), out+errs)
	}
}

func TestACanaryInASecretIsSeenNowhereButInTheServerAndItsLog(t *testing.T) {
	w, told := openCanary(t)
	s := searcher{w, ""}
	info, err := w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.base = info.URL
	log, err := os.ReadFile(filepath.Join(w.dir, ".tend", "logs", "talker.log"))
	if err != nil || !strings.Contains(string(log), canary) {
		t.Fatalf("the server did not get its secret: %q %v", log, err)
	}
	s.walk()
	s.commands()
	for _, pattern := range routePaths(t)["post"] {
		if !strings.Contains(pattern, "shutdown") {
			s.fetch("POST", strings.NewReplacer("{id}", "talker", "{action}", "restart", "{pid}", "1").Replace(pattern), 5*time.Second)
		}
	}
	w.until("somebody is told", 20*time.Second, func() string {
		if text := told.all(); !strings.Contains(text, "crasher") {
			return text
		}
		return ""
	})
	s.look("a webhook", told.all())
	s.files()
	s.look("the manager's log", w.output.String())

	w.kill() // the next manager has not read the secrets itself
	w.open()
	info, err = w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.base = info.URL
	s.walk()
	s.files()
	s.look("the log of the next manager", w.output.String())
}
