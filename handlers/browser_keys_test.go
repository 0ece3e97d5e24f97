package handlers

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"tend/handlers/browsertest"
	"tend/services"
)

// on is true when the focus is on the element with an id.
func on(id string) string { return fmt.Sprintf(`document.activeElement.id === %q`, id) }

func keysDoEverything(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("db")
	tab := visit(t, b, s.URL)
	press := func(keys, becomes string) {
		t.Helper()
		tab.Press(keys)
		tab.Wait(becomes)
	}
	// Rows. The order is web, db, api, cache.
	press("j", on("open-web"))
	press("j", on("open-db"))
	press("k", on("open-web"))
	press("k", on("open-web"))
	press("G", on("open-cache"))
	press("g", on("open-web"))
	press("x", `document.querySelector("#server-web .pick").checked`)
	press("x", `!document.querySelector("#server-web .pick").checked`)
	// Actions: on the row, and on those that are selected. The focus comes back.
	press("s", says("#server-web", "running"))
	press("t", `document.querySelector("#ask").open && `+says("#ask-title", "Stop web?")+" && "+on("ask-yes"))
	press("\x1b", `!document.querySelector("#ask").open && `+on("open-web"))
	press("t", on("ask-yes"))
	press("\r", says("#server-web", "stopped")+" && "+on("open-web"))
	press("x", `document.querySelector("#picked").textContent === "1"`)
	press("j", on("open-db"))
	press("x", `document.querySelector("#picked").textContent === "2"`)
	press("r", says("#ask-title", "Restart 2 servers?"))
	press("\r", says("#server-web", "running")+` && document.querySelector("#picked").textContent === "0"`)
	// Searching. Nothing happens while somebody types.
	orders := len(s.Orders())
	press("/", on("filter"))
	press("str?xj", `document.querySelector("#filter").value === "str?xj" && !document.querySelector("dialog[open]")`)
	press("\x1b", `document.activeElement === document.body`)
	press("/", on("filter"))
	press("web", sees("web"))
	press("\x1b", `document.activeElement === document.body && document.querySelector("#filter").value === "web"`)
	press("j", on("open-web"))
	if n := len(s.Orders()); n != orders {
		t.Errorf("typing gave %d orders", n-orders)
	}
	// Pages.
	press("\r", `location.pathname === "/servers/web" && `+live)
	press("\x1b", `location.pathname === "/" && `+live+" && "+sees("web"))
	tab.MustBeClean()
}

func keysHelpAndRest(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	tab.Press("?")
	tab.Wait(`document.querySelector("#help").open && document.querySelector("#keys-on").checked && ` + says("#help", "Stop, after asking"))
	tab.Click("#keys-on")
	tab.Press("\x1b")
	tab.Wait(`!document.querySelector("#help").open`)
	tab.Press("j")
	tab.Press("?")
	if browsertest.Eval[bool](tab, `document.querySelector("#help").open || document.activeElement.id === "open-web"`) {
		t.Error("keys do something although they are switched off")
	}
	tab.Go(s.URL)
	tab.Wait(live)
	tab.Click("#open-keys")
	tab.Wait(`document.querySelector("#help").open && !document.querySelector("#keys-on").checked`)
	tab.Click("#keys-on")
	tab.Press("\x1b")
	tab.Wait(`!document.querySelector("#help").open`)
	tab.Press("j")
	tab.Wait(on("open-web"))
	tab.MustBeClean()

	plain := b.Open(t, browsertest.WithoutScripts())
	plain.Go(s.URL)
	plain.Click("#open-keys")
	plain.Wait(says("main", "Restart, after asking"))
	plain.Click("#open-palette")
	plain.Wait(`location.pathname === "/palette"`)
	plain.Go(s.URL + "/palette?q=cach")
	plain.Click(`.palette-item[href="/servers/cache"]`)
	plain.Wait(`location.pathname === "/servers/cache"`)
}

func paletteFinds(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	open := func() {
		t.Helper()
		tab.Ctrl("k")
		tab.Wait(`document.querySelector("#palette").open && ` + on("palette-box"))
	}
	const first = `document.querySelector("[role=option][aria-selected=true] .palette-name")?.textContent`
	open()
	tab.Press("st cac\r")
	tab.Wait(`!document.querySelector("#palette").open && ` + says("#ask-title", "Start cache?"))
	tab.Press("\r")
	tab.Wait(says("#server-cache", "running"))
	open()
	tab.Press("timel")
	tab.Wait(first + ` === "Timeline"`)
	tab.Press("\x1b")
	tab.Wait(`!document.querySelector("#palette").open`)
	open()
	tab.Press("ch")
	tab.Wait(first + ` === "cache" && document.querySelectorAll("[role=option]").length === 5`)
	tab.Press(kb.ArrowDown)
	tab.Wait(first + ` !== "cache" && document.querySelector("#palette-box").getAttribute("aria-activedescendant") === "found-1"`)
	// An answer that is late does not take the mark away.
	browsertest.Eval[bool](tab, `document.querySelector("#palette-list").dataset.old = "", htmx.ajax("GET", "/palette?q=ch", { target: "#palette-list", swap: "outerHTML" }), true`)
	tab.Wait(`!("old" in document.querySelector("#palette-list").dataset) && ` + first + ` !== "cache" && document.querySelector("#palette-box").getAttribute("aria-activedescendant") === "found-1"`)
	tab.Press(kb.ArrowUp)
	tab.Press("\r")
	tab.Wait(`location.pathname === "/servers/cache"`)
	tab.MustBeClean()
}

func pushesLeaveDialogsAlone(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("web")
	tab := visit(t, b, s.URL)
	tab.Press("j")
	tab.Wait(on("open-web"))
	tab.Press("r")
	tab.Wait(on("ask-yes"))
	for i := range 50 {
		s.change("web", func(st *services.Status) { st.Restarts = i + 1 })
	}
	tab.Wait(says("#server-web .c-restarts", "50"))
	if !browsertest.Eval[bool](tab, `document.querySelector("#ask").open && `+on("ask-yes")) {
		t.Error("the question has gone")
	}
}
