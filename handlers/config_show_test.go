package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"tend/services"
)

// reloads is a configuration that can be read again.
type reloads struct {
	plan services.Plan
	err  error
	done []string // the plans that were carried out, and by whom
}

func (c *reloads) reload(_ context.Context, dry bool, id, by string) (services.Plan, error) {
	if c.err == nil && !dry {
		if id != "" && id != c.plan.ID() {
			return c.plan, services.Errorf(services.Conflict, "the plan has changed")
		}
		c.done = append(c.done, id+" "+by)
	}
	return c.plan, c.err
}

func TestThePageOfTheConfigurationShowsThePlanAndCarriesItOut(t *testing.T) {
	c := &reloads{plan: services.Plan{
		Remove: []services.Change{{Server: "old", Reasons: []string{"not in the file any more"}}},
		Update: []services.Change{{Server: "web", Reasons: []string{"group: a → <b>"}}}, Unchanged: []string{"db"}, Later: []string{"listen: later"},
	}}
	a := newApp(t, func(d *Deps) { d.Reload = c.reload })
	page := a.serve(request("GET", "/config", ""))
	for _, part := range []string{"Removed", "old", "Changed without a restart", "group: a → &lt;b&gt;", "1 server would stay", "listen: later", c.plan.ID(), "key-danger"} {
		if !strings.Contains(page.Body.String(), part) {
			t.Errorf("the page does not show %q", part)
		}
	}
	if len(c.done) != 0 {
		t.Errorf("looking at it did %v", c.done)
	}
	if w := a.serve(request("POST", "/config", "plan="+c.plan.ID(), "Sec-Fetch-Site", "same-origin")); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Errorf("applied: %d %s", w.Code, w.Body)
	}
	if len(c.done) != 1 || c.done[0] != c.plan.ID()+" boss, browser 192.0.2.1" {
		t.Errorf("did %q", c.done)
	}
	if w := a.serve(request("POST", "/config", "plan=other")); w.Code != http.StatusConflict {
		t.Errorf("a plan that nobody has seen: %d", w.Code)
	}
	if w := a.serve(request("POST", "/config", "")); w.Code != http.StatusBadRequest {
		t.Errorf("no plan: %d", w.Code)
	}
}

func TestThePageOfTheConfigurationNamesEveryProblem(t *testing.T) {
	c := &reloads{err: services.Errorf(services.Invalid, "tend.yaml:1:2: one\ntend.yaml:3:4: two")}
	a := newApp(t, func(d *Deps) { d.Reload = c.reload })
	text := a.serve(request("GET", "/config", "")).Body.String()
	if !strings.Contains(text, "<li>tend.yaml:1:2: one</li><li>tend.yaml:3:4: two</li>") || strings.Contains(text, `id="apply"`) {
		t.Error(text)
	}
	c.err = errors.New("boom")
	if w := a.serve(request("GET", "/config", "")); w.Code != http.StatusInternalServerError {
		t.Errorf("%d", w.Code)
	}
}

func TestAReloadOverRESTAnswersWithThePlan(t *testing.T) {
	c := &reloads{plan: services.Plan{Add: []services.Change{{Server: "new", Reasons: []string{"new: x"}}}}}
	a := newApp(t, func(d *Deps) { d.Reload = c.reload })
	w := a.serve(request("POST", "/api/config/reload?dry=true", ""))
	if want := `{"id":"` + c.plan.ID() + `","applied":false,"add":[{"server":"new","reasons":["new: x"]}]`; w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) || len(c.done) != 0 {
		t.Errorf("%d %s, did %v", w.Code, w.Body, c.done)
	}
	if w := a.serve(request("POST", "/api/config/reload?plan="+c.plan.ID(), "")); w.Code != 200 || !strings.Contains(w.Body.String(), `"applied":true`) || len(c.done) != 1 || !strings.HasSuffix(c.done[0], " rest 192.0.2.1") {
		t.Errorf("%d %s, did %q", w.Code, w.Body, c.done)
	}
	if w := a.serve(request("POST", "/api/config/reload?plan=x", "")); w.Code != 409 {
		t.Errorf("%d", w.Code)
	}
	if w := a.serve(request("POST", "/api/config/reload?dry=perhaps", "")); w.Code != 400 {
		t.Errorf("%d", w.Code)
	}
}
