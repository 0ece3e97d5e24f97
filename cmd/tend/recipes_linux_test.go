package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tend/services"
)

func TestAPageTellsHowARunDiffersFromTheFileThatTheNextManagerReads(t *testing.T) {
	w := newWard(t, 0, nil)
	address := freeAddress(t)
	w.args = []string{"--listen", address}
	w.configure("servers:\n  a:\n    command: [sleep, '1000']\n    env: {LEVEL: canary}\n  same: {command: [sleep, '1000']}\n")
	w.open()
	a := w.waitFor("a", services.Running)
	w.until("how they were started is remembered", 10*time.Second, func() string {
		text, _ := os.ReadFile(filepath.Join(w.dir, ".tend", "recipes.json"))
		if strings.Contains(string(text), "canary") {
			t.Fatalf("a value of the environment is kept: %s", text)
		}
		state, _ := os.ReadFile(filepath.Join(w.dir, ".tend", "state.json"))
		if !strings.Contains(string(text), `"same"`) || strings.Count(string(state), a.Run) == 0 {
			return string(text)
		}
		return ""
	})
	w.kill()
	w.configure("servers:\n  a:\n    command: [sleep, '1001']\n    env: {LEVEL: info}\n  same: {command: [sleep, '1000']}\n")
	w.open()
	if s := w.waitFor("a", services.Running); s.PID != a.PID || !s.Drift {
		t.Fatalf("it is not taken over with a drift: %+v", s)
	}
	page := func(name string) string {
		t.Helper()
		res, err := http.Get("http://" + address + "/servers/" + name + "/config")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %v: %s", res.Status, err, text)
		}
		return string(text)
	}
	text := page("a")
	for _, part := range []string{"earlier configuration", "</span>sleep 1000</del>", "</span>sleep 1001</ins>", "one value", "another", ">line ", "sleep 1001"} {
		if !strings.Contains(text, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if strings.Contains(text, "canary") || strings.Contains(page("same"), "earlier configuration") {
		t.Error("the pages tell too much")
	}
	if err := os.Remove(filepath.Join(w.dir, ".tend", "recipes.json")); err != nil {
		t.Fatal(err)
	}
	if text := page("a"); !strings.Contains(text, "is not known any more") {
		t.Error("the page does not say that it knows nothing")
	}
}
