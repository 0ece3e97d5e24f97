package config

import (
	"errors"
	"strings"
	"testing"

	"tend/services"
)

// Whatever the bytes, reading them ends, and with one of two outcomes: a
// configuration that keeps its promises, or problems with a place and a text.
func FuzzAnyBytesGetAConfigurationOrProblems(f *testing.F) {
	for _, seed := range []string{
		"", "servers:\n  a: {command: a}\n", "servers: {a: {command: [a, 1, true]}, b: {command: b, depends_on: [a]}}",
		"x: &x {<<: *x}\n", "a: &a [*a]\n", "? [a]\n: b\n", "a: !!str\n", "- - - -\n", "\ufeffa:", "servers:\n\ta: b", "%YAML 1.2\n---\na: b\n",
		"defaults: {env: {A: ${A:-${B:-c}}}}\nservers: {a: }\n", "a: |\n  x\n b", "a: >-\n\n\n", "servers: {a: {command: \"\\0\"}}", "'", "\"", "a: *", "&", "!", "<<: 1", "<<: [1, {a: b}]",
		"listen: [", "---\n---\n", "...\n", "a: 'x\ny'\nb: 0x\nc: .inf\nd: ~\n", "a:\r\n  b", "{a: b, a: c}", "null: {~: 1}", "servers: {a: {port: 00, umask: 0o7, stop: {signal: 64}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		c, err := read("/etc/tend.yaml", string(data), environment("A", "a"), nil)
		var ps Problems
		switch {
		case err == nil:
			promises(t, c)
		case !errors.As(err, &ps) || len(ps) == 0:
			t.Fatalf("%T: %v", err, err)
		default:
			lines := strings.Count(string(data), "\n") + 2
			for _, p := range ps {
				if p.Msg == "" || strings.Contains(p.Msg, "%!") && !strings.Contains(string(data), "%") || p.Line < 0 || p.Line > lines+strings.Count(string(data), "\r") || p.Line > 0 && p.Column < 1 {
					t.Fatalf("%#v", p)
				}
			}
		}
	})
}

func promises(t *testing.T, c *Config) {
	if len(c.Servers) == 0 || CheckListen(c.Listen) != nil {
		t.Fatalf("%+v", c)
	}
	known := map[string]bool{}
	for _, s := range c.Servers {
		known[s.Name] = true
	}
	for _, s := range c.Servers {
		switch {
		case !services.ValidName(s.Name), len(s.Command.List()) == 0, s.Dir == "" || s.Dir[0] != '/', s.Backoff.Min > s.Backoff.Max,
			s.Port < 0 || s.Port > 65535, s.Umask < -1 || s.Umask > 0o777, s.Logs.MaxSize <= 0, s.Stop.Timeout < 0, s.Stop.Signal <= 0:
			t.Fatalf("%+v", s)
		}
		for _, dep := range s.Needs() {
			if !known[dep] || dep == s.Name {
				t.Fatalf("%s depends on %q", s.Name, dep)
			}
		}
	}
}
