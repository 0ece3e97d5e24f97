package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"tend/handlers/browsertest"
)

// themesFor are the themes of the pictures that go into a directory. Whether a
// page fits does not depend on its theme: without one, it is looked at in one.
func themesFor(dir string) []string {
	if dir == "" {
		return []string{"light"}
	}
	return []string{"light", "dark"}
}

// TestPicturesFitTheirWindows also takes the pictures when TEND_PICTURES names a
// directory.
func TestPicturesFitTheirWindows(t *testing.T) {
	dir := os.Getenv("TEND_PICTURES")
	server := httptest.NewServer(routes())
	defer server.Close()
	browser := browsertest.Start(t)
	for _, theme := range themesFor(dir) {
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"wide", 1280, 900}, {"narrow", 390, 1800}, {"tiny", 320, 1400}, {"middle", 900, 1200}, {"vast", 1900, 900}} {
			tab := browser.Open(t, browsertest.Size(size.width, size.height, theme))
			for name, path := range map[string]string{
				"overview": "/", "healthy": "/healthy", "crowd": "/crowd", "empty": "/empty", "filtered": "/?q=nothing+at+all", "problem": "/problem", "toasts": "/toasts",
				"ask": "/ask", "keys": "/keys", "palette": "/palette?q=re", "logs": "/logs", "timeline": "/timeline", "config": "/config",
				"login": "/login", "enter": "/enter", "refusal": "/refusal", "access": "/access?made",
				"server-api": "/servers/api", "server-search": "/servers/search", "server-docs": "/servers/docs", "server-worker": "/servers/worker",
				"server-events": "/servers/api/events", "server-processes": "/servers/api/processes", "server-config": "/servers/api/config",
			} {
				tab.Go(server.URL + path)
				if dir != "" {
					tab.Shoot(filepath.Join(dir, name+"-"+size.name+"-"+theme+".png"))
				}
				if wide := browsertest.Eval[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
					t.Errorf("%s is %d pixels wider than a window of %d", path, wide, size.width)
				}
			}
		}
	}
}
