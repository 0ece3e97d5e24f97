package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configFile writes a configuration into a directory of its own.
func configFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tend.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckSaysThatAFileIsGood(t *testing.T) {
	path := configFile(t, "servers:\n  a: {command: a}\n  b: {command: b}\n")
	var out strings.Builder
	cmd := checkCommand(&globals{config: path})
	cmd.SetOut(&out)
	cmd.SetArgs(nil)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	want := path + " is good: 2 servers, dashboard on 127.0.0.1:3030, data in " + filepath.Join(filepath.Dir(path), ".tend") + "\n"
	if out.String() != want {
		t.Errorf("said %q, want %q", out.String(), want)
	}
}

func TestCheckTakesTheFileAsAnArgument(t *testing.T) {
	path := configFile(t, "servers:\n  a: {command: a}\n")
	t.Chdir(filepath.Dir(path))
	if err := os.Rename(path, "other.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"check", "other.yaml"}, {"check", "--config", "other.yaml"}} {
		var out, errs strings.Builder
		code := run(t.Context(), args, nil, &out, &errs)
		if code != 0 || !strings.HasPrefix(out.String(), filepath.Join(filepath.Dir(path), "other.yaml")+" is good: 1 server, ") || errs.Len() > 0 {
			t.Errorf("tend %v: %d %q %q", args, code, out.String(), errs.String())
		}
	}
}

func TestCheckPrintsEveryProblemOnALine(t *testing.T) {
	path := configFile(t, "servers:\n  a: {comand: a, port: 0}\n")
	var out strings.Builder
	err := check(path, false, &out)
	want := path + `:2:3: a: has no command: write command: ./program --option
` + path + `:2:7: a: comand is not a key that is known here: did you mean "command"?
` + path + `:2:24: a: port wants a number from 1 to 65535, not 0
`
	if out.String() != want {
		t.Errorf("said\n%swant\n%s", out.String(), want)
	}
	if err == nil || err.Error() != "3 problems in "+path {
		t.Errorf("ends with %v", err)
	}
}

func TestCheckPrintsJSON(t *testing.T) {
	path := configFile(t, "servers:\n  a: {command: 5}\n")
	var out strings.Builder
	if err := check(path, true, &out); err == nil {
		t.Error("a bad file ends well")
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	problems, ok := got["problems"].([]any)
	if got["ok"] != false || got["file"] != path || !ok || len(problems) != 1 {
		t.Errorf("printed %s", out.String())
	}
	first, _ := problems[0].(map[string]any)
	if first["line"] != 2.0 || first["column"] != 16.0 || first["message"] != "a: command wants text, not the number 5: put it in quotes" {
		t.Errorf("printed %v", first)
	}
	out.Reset()
	if err := check(configFile(t, "servers: {a: {command: a}}"), true, &out); err != nil || !strings.Contains(out.String(), `"problems": []`) {
		t.Errorf("printed %s (%v)", out.String(), err)
	}
}
