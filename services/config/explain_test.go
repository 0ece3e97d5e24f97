package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tend/services"
)

func explain(t *testing.T, text, server string) (out []string) {
	t.Helper()
	c := annotated(t, text)
	i := slices.IndexFunc(c.Servers, func(s services.Server) bool { return s.Name == server })
	for _, s := range Explain(c.Servers[i], c) {
		value := strings.ReplaceAll(s.Value, c.Dir, "DIR")
		if s.Held {
			value += "(held)"
		}
		out = append(out, fmt.Sprintf("%s=%s %s %d", s.Key, value, s.From.Kind, s.From.Line))
	}
	return out
}

func annotated(t *testing.T, text string) *Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tend.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadToExplain(path, func(name string) (string, bool) { return "canary-" + name, true })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatTheFileDoesNotSayAnyMoreIsNotExplainedByIt(t *testing.T) {
	c := annotated(t, "servers: {api: {command: ./api, port: 81, env: {A: 1}}}")
	s := base(c.Dir)
	s.Name, s.Port, s.Env = "api", 80, map[string]string{"A": "2"}
	s.Command.Shell = "./api"
	for _, file := range []*Config{c, nil} {
		for _, one := range Explain(s, file) {
			before := file == nil || one.Key == "port" || one.Key == "env.A"
			if (one.From.Kind == services.FromBefore) != before {
				t.Errorf("with a file: %v: %+v", file != nil, one)
			}
		}
	}
}

func TestEverySettingSaysWhereItIsFrom(t *testing.T) {
	got := explain(t, `x-check: &check
  interval: 2s
defaults:
  restart: always
  stop: {timeout: 20s}
  env: {LEVEL: debug, ZONE: UTC}
  live: {tcp: "127.0.0.1:1", failures: 9}
servers:
  defaults:
    command: [./run, two words]
    stop:
      signal: INT
    env:
      LEVEL: info
    live:
      <<: *check
      http: "http://user:canary@127.0.0.1:8080/health?token=canary"
      headers: {X-Key: canary}
  other: {command: ./other, port: 80, limits: {memory: 1536MB}, success: [0, 3, TERM]}
`, "defaults")
	for _, want := range []string{
		`command=./run "two words" server 10`, "dir=DIR nowhere 0", "env.LEVEL=info server 14", "env.ZONE=UTC defaults 6",
		"restart=always defaults 4", "stop.signal=SIGINT server 12", "stop.timeout=20s defaults 5", "stop.to=group nowhere 0",
		"live.http=http://127.0.0.1:8080/health server 17", "live.headers=X-Key server 18", "live.interval=2s server 2", "live.failures=3 nowhere 0",
		"logs.max_size=64MB nowhere 0", "backoff.reset=1m nowhere 0", "backoff.give_up=never nowhere 0",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if text := strings.Join(got, "\n"); strings.Contains(text, "canary") || strings.Contains(text, "live.tcp") {
		t.Errorf("it says too much:\n%s", text)
	}
	if t.Failed() {
		t.Log(strings.Join(got, "\n"))
	}
}

func TestASettingThatMayBeASecretIsHeld(t *testing.T) {
	got := explain(t, `servers:
  api:
    command: ./api
    env:
      DB_PASSWORD: canary
      API_TOKEN: canary
      DATABASE: "postgres://me:canary@db/orders"
      MODE: fast
      HOST: "http://127.0.0.1:80/x"
      MAIL: "${MAIL}"
      CODE: 9f86d081884c7d659a2feaa0c55ad015canary
      PATHS: "/usr/bin:${PATHS}"
`, "api")
	if text := strings.Join(got, "\n"); strings.Contains(text, "canary") {
		t.Errorf("a secret is told:\n%s", text)
	}
	for _, want := range []string{
		"env.DB_PASSWORD=(held) server 5", "env.API_TOKEN=(held) server 6", "env.DATABASE=(held) server 7", "env.MODE=fast server 8",
		"env.HOST=http://127.0.0.1:80/x server 9", "env.MAIL=${MAIL} server 10", "env.CODE=(held) server 11", "env.PATHS=/usr/bin:${PATHS} server 12",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("it does not say %q: %q", want, got)
		}
	}
}

func TestEveryKeyOfAServerIsExplained(t *testing.T) {
	for _, key := range serverKeys {
		if !slices.ContainsFunc(explained, func(s shown) bool { top, _, _ := strings.Cut(s.name, "."); return top == key }) {
			t.Errorf("%s is not explained", key)
		}
	}
}

func TestADriftIsToldWithoutTheValuesOfTheEnvironment(t *testing.T) {
	was := base("/srv")
	was.Name, was.Command.Argv = "api", []string{"./api", "--port", "80"}
	was.Env = map[string]string{"A": "canary", "B": "canary", "D": "same"}
	was.Description = "older"
	is := was
	is.Command = services.Command{Argv: []string{"./api", "--port", "81"}}
	is.Env = map[string]string{"A": "canary2", "C": "canary", "D": "same"}
	is.Umask, is.Description, is.Limits.NoFile = 0o27, "newer", 99
	recipe := Recipe(was)
	if text := string(recipe); strings.Contains(text, "canary") {
		t.Errorf("the recipe has a secret: %s", text)
	}
	want := []services.Difference{
		{Key: "command", Was: "./api --port 80", Is: "./api --port 81"},
		{Key: "env.A", Was: "one value", Is: "another"}, {Key: "env.B", Was: "set"}, {Key: "env.C", Is: "set"},
		{Key: "umask", Is: "027"}, {Key: "limits.nofile", Is: "99"},
	}
	if got, err := Drift(recipe, is); err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %+v (%v)\nwant %+v", got, err, want)
	}
	if got, err := Drift(recipe, was); err != nil || len(got) != 0 || Digest(was) == Digest(is) {
		t.Errorf("of itself it differs by %+v (%v)", got, err)
	}
	if _, err := Drift([]byte("torn"), was); err == nil {
		t.Error("a torn recipe is read")
	}
}
