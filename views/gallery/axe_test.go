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
			for _, path := range []string{
				"/", "/?q=nothing+at+all", "/?sort=-cpu", "/healthy", "/crowd", "/empty", "/ask", "/problem", "/toasts", "/timeline", "/config", "/graph", "/graph/deep", "/graph/none",
				"/login", "/enter", "/refusal", "/access", "/access?made", "/access?empty",
				"/logs", "/keys", "/palette", "/palette?q=zzz", "/servers/api/events", "/servers/api/processes", "/servers/api/config", "/servers/api", "/servers/search", "/servers/docs", "/servers/worker",
			} {
				tab.Go(server.URL + path)
				tab.MustBeAccessible(t, path+" in "+theme)
			}
		}
	}
}
