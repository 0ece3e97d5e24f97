package main

import (
	"net/http/httptest"
	"testing"

	"tend/handlers/browsertest"
)

func TestEveryPageIsForEverybody(t *testing.T) {
	server := httptest.NewServer(routes())
	defer server.Close()
	browser := browsertest.Start(t)
	for _, theme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360} {
			tab := browser.Open(t, browsertest.Size(width, 900, theme))
			paths := []string{
				"/", "/?q=nothing+at+all", "/?sort=-cpu", "/healthy", "/empty", "/ask", "/problem", "/toasts", "/timeline", "/config", "/graph", "/graph/deep", "/graph/none",
				"/login", "/enter", "/refusal", "/access", "/access?made", "/access?empty",
				"/logs", "/keys", "/palette", "/palette?q=zzz", "/servers/api/events", "/servers/api/processes", "/servers/api/config", "/servers/api", "/servers/search", "/servers/docs", "/servers/worker",
			}
			if (theme == "light") == (width == 1280) { // it takes as long as half of the others
				paths = append(paths, "/crowd")
			}
			for _, path := range paths {
				tab.Go(server.URL + path)
				tab.MustBeAccessible(t, path+" in "+theme)
			}
		}
	}
}
