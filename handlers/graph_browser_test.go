package handlers

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"tend/handlers/browsertest"
	"tend/services"
)

// draws is true when an element of a drawing has a text.
func draws(selector, text string) string {
	return fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, text)
}

func graphIsWalked(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL+"/graph")
	tab.Wait(draws("#node-db", "stopped") + " && " + draws("#node-api", "stopped") + " && " + says("#alone-web", "stopped"))
	focused := func() string { return browsertest.Eval[string](tab, `document.activeElement.id`) }
	for range 20 {
		if focused() == "see-db" {
			break
		}
		tab.Press(kb.Tab)
	}
	tab.Press(kb.Tab)
	if id := focused(); id != "see-api" {
		t.Fatalf("after what it needs comes %q", id)
	}
	if !browsertest.Eval[bool](tab, `getComputedStyle(document.querySelector("#see-api .node-box")).strokeWidth === "3px" && getComputedStyle(document.querySelector("#box-api .ties")).visibility === "visible" && getComputedStyle(document.querySelector("#box-db .ties")).visibility === "hidden"`) {
		t.Error("the focus does not show, or not its edges")
	}
	browsertest.Eval[bool](tab, `(window.link = document.activeElement, window.box = document.querySelector("#box-api"), true)`)
	s.start("api", "web")
	tab.Wait(draws("#node-api", "running") + " && " + draws("#node-db", "running") + " && " + says("#alone-web", "running"))
	tab.Wait(`document.querySelector("#node-api").dataset.tone === "good" && document.querySelector("#node-api .icon use").getAttribute("href") === "#i-running"`)
	tab.Wait(`document.querySelector("#ties-api").textContent.includes("running")`)
	if !browsertest.Eval[bool](tab, `document.activeElement === link && link.isConnected && box.isConnected && link.getAttribute("aria-label") === "api running, needs db"`) {
		t.Errorf("the focus is on %s", browsertest.Eval[string](tab, `document.activeElement.outerHTML`))
	}
	if !browsertest.Eval[bool](tab, `document.querySelector("#node-api .icon circle, #node-api use").namespaceURI === "http://www.w3.org/2000/svg" && document.querySelector("#see-api").getBoundingClientRect().width > 80`) {
		t.Error("what was pushed is not a picture")
	}
	tab.Press(kb.Enter)
	tab.Wait(`location.pathname === "/servers/api" && ` + live)
	tab.MustBeClean()
}

func graphChanges(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL+"/graph")
	tab.Do(browsertest.Size(320, 900, "light"))
	browsertest.Eval[bool](tab, `(document.querySelector("#graph-list").open = true, document.querySelector("#see-api").focus(), window.link = document.activeElement, document.querySelector("#graph-scroll").scrollLeft = 17, true)`)
	if at := browsertest.Eval[int](tab, `document.querySelector("#graph-scroll").scrollLeft`); at != 17 {
		t.Fatalf("the drawing is not in a box of its own: it scrolls to %d", at)
	}
	s.change("web", func(st *services.Status) {
		st.DependsOn, st.Until = []string{"api"}, services.Conditions{"api": services.UntilStarted}
	})
	tab.Wait(draws("#node-web", "stopped") + ` && !document.querySelector("#alone-web") && document.querySelector("#graph-drawing .edge-label")?.textContent === "started"`)
	tab.Wait(says("#ties-api", "web"))
	if !browsertest.Eval[bool](tab, `document.activeElement === link && document.querySelector("#graph-list").open && document.querySelector("#graph-scroll").scrollLeft === 17`) {
		t.Errorf("the drawing is at %d", browsertest.Eval[int](tab, `document.querySelector("#graph-scroll").scrollLeft`))
		t.Errorf("the focus is on %s", browsertest.Eval[string](tab, `document.activeElement.outerHTML`))
	}
	s.start("web")
	tab.Wait(draws("#node-web", "running"))
	kind := services.Unconfigured
	s.Set(services.EventOrphan, services.Status{Name: "old", Phase: services.Running, Running: true, Orphaned: true, OrphanKind: &kind, OrphanedPID: 9, PID: 9})
	tab.Wait(says("#alone-old", "orphaned"))
	if _, err := s.Do(context.Background(), services.Order{Action: services.Stop, Servers: []string{"old"}}); err != nil {
		t.Fatal(err)
	}
	tab.Wait(`!document.querySelector("#alone-old, #ties-old")`)
	s.change("web", func(st *services.Status) { st.DependsOn, st.Until = []string{}, nil })
	s.change("api", func(st *services.Status) { st.DependsOn = []string{} })
	tab.Wait(`!document.querySelector("#graph-drawing") && ` + says("#graph", "No server depends on another") + " && " + says("#alone-web", "running"))
	tab.MustBeClean()
}
