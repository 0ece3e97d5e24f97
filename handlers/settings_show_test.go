package handlers

import (
	"context"
	"strings"
	"testing"

	"tend/services"
	"tend/views/canned"
)

func TestTheConfigurationOfAServerIsATab(t *testing.T) {
	var answer error
	a := newApp(t, func(d *Deps) {
		d.Settings = func(_ context.Context, s *services.Status) (services.Settings, error) {
			if s.Name != "web" {
				t.Errorf("asked about %s", s.Name)
			}
			return canned.Settings(), answer
		}
	})
	s, err := a.Get(context.Background(), "web")
	if err != nil {
		t.Fatal(err)
	}
	page := func(status int) string {
		t.Helper()
		w := a.serve(request("GET", "/servers/web/config", "", "Accept", "text/html"))
		if w.Code != status {
			t.Fatalf("answered %d: %s", w.Code, w.Body)
		}
		return w.Body.String()
	}
	got := page(200)
	for _, want := range []string{`aria-current="page">Configuration`, "--trust-proxy", "defaults, line 7", "not shown"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(got, "earlier configuration") {
		t.Error("the page shows a drift of a server that does not drift")
	}
	s.Drift = true
	a.Set(services.EventChanged, s)
	if got := page(200); !strings.Contains(got, "earlier configuration") || !strings.Contains(got, "256MB") {
		t.Error("the page does not show the drift")
	}
	answer = services.Errorf(services.NotFound, "web is not in the configuration any more")
	page(200)
	answer = services.Errorf(services.Unavailable, "later")
	page(503)
}
