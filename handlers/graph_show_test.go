package handlers

import (
	"net/http"
	"strings"
	"testing"

	"tend/services"
	"tend/services/controltest"
)

func TestTheGraphShowsEveryServerWithItsNeighbours(t *testing.T) {
	page := newApp(t).serve(request("GET", "/graph", ""))
	body := strings.Join(strings.Fields(page.Body.String()), " ")
	if page.Code != http.StatusOK {
		t.Fatalf("%d", page.Code)
	}
	for _, part := range []string{
		`id="nav-Graph" aria-current="page"`, `hx-ws:connect="/ws?topic=graph&amp;since=0"`, `aria-label="api stopped, needs db"`,
		`id="node-db"`, `id="alone-web"`, `id="alone-cache"`, `id="ties-web"`, `<a href="/servers/db">db</a>`, `<a href="/servers/api">api</a>`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("the page does not have %s", part)
		}
	}
	for _, part := range []string{`id="alone-db"`, `id="node-web"`, "style="} {
		if strings.Contains(body, part) {
			t.Errorf("the page has %s", part)
		}
	}
}

func TestAGraphWithoutDependenciesSaysHowToWriteThem(t *testing.T) {
	for _, test := range []struct {
		name    string
		servers []services.Server
		part    string
	}{
		{"no server", nil, "Nothing to tend yet"},
		{"no dependency", controltest.Servers()[:2], "depends_on: [db]"},
	} {
		a := newApp(t, func(d *Deps) { d.Control = controltest.NewFake(test.servers...) })
		if body := a.serve(request("GET", "/graph", "")).Body.String(); !strings.Contains(body, test.part) || strings.Contains(body, "graph-drawing") {
			t.Errorf("%s: the page does not say %q", test.name, test.part)
		}
	}
}

func TestTheSocketOfTheGraphOpens(t *testing.T) {
	a := newApp(t)
	if w := a.serve(request("GET", "/ws?topic=graph", "")); w.Code != http.StatusNoContent {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
