package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/views/model"
)

func TestSeveralServersAreAskedAboutAndActedOn(t *testing.T) {
	a := newApp(t)
	for _, test := range []struct {
		method, target, body string
		header               []string
		status               int
		says                 string
	}{
		{"GET", "/bulk?action=stop&id=web&id=db&id=web", "", nil, 200, "Stop 2 servers?"},
		{"GET", "/bulk?action=kill&id=web", "", []string{"HX-Request", "true"}, 200, "Kill web?"},
		{"GET", "/bulk?action=dance&id=web", "", nil, 400, "action wants start, stop, restart or kill"},
		{"GET", "/bulk?action=stop", "", nil, 400, "select at least one server first"},
		{"GET", "/bulk?action=stop&id=%3Cb%3E", "", nil, 404, "there is no server"},
		{"POST", "/bulk", "action=start&id=web&id=cache", nil, 303, ""},
		{"POST", "/bulk", "action=stop&id=web", []string{"HX-Request", "true"}, 200, "Stop: asked of web"},
		{"POST", "/bulk", "action=stop&id=nobody", []string{"HX-Request", "true"}, 404, "nobody"},
		{"POST", "/bulk", "", nil, 400, "action wants"},
		{"POST", "/bulk?action=stop&id=web", "x=y", nil, 400, "action wants"},
	} {
		w := a.serve(request(test.method, test.target, test.body, test.header...))
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s %s %s: %d %s", test.method, test.target, test.body, w.Code, w.Body)
		}
	}
	if orders := a.Orders(); len(orders) != 2 || len(orders[0].Servers) != 2 || orders[1].Action != services.Stop {
		t.Errorf("the orders are %+v", orders)
	}
}

func TestAnAddressThatSaysNothingIsShortened(t *testing.T) {
	a := newApp(t)
	w := a.serve(request("GET", "/?q=web&state=&sort=&toggle=in+x", ""))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/?fold=in+x&q=web" {
		t.Errorf("answered %d %s", w.Code, w.Header().Get("Location"))
	}
}

func TestTheStripRemembersTheWorstOfEachMinute(t *testing.T) {
	r, now := NewRecent(), time.Unix(1_800_000_000, 0)
	add := func(ago time.Duration, v services.Vigour) {
		r.Add("web", services.Sample{At: services.Time{Time: now.Add(-ago)}, State: v})
	}
	add(70*time.Minute, services.VigourBroken)
	add(30*time.Minute, services.VigourUp)
	add(30*time.Minute, services.VigourUnhealthy)
	add(30*time.Minute, services.VigourUp)
	add(0, services.VigourUp)
	var want [model.StripSlots]services.Vigour
	want[29], want[59] = services.VigourUnhealthy, services.VigourUp
	if got := r.Strip("web", now); got != want {
		t.Errorf("the strip is %v", got)
	}
	if got := r.Strip("web", now.Add(90*time.Minute)); got != [model.StripSlots]services.Vigour{} {
		t.Errorf("much later it is %v", got)
	}
	if got := r.Strip("nobody", now); got != [model.StripSlots]services.Vigour{} {
		t.Errorf("of nobody it is %v", got)
	}
}
