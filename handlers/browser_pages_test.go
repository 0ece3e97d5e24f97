package handlers

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"tend/handlers/browsertest"
	"tend/services"
)

// keysWalkPages presses what leads from page to page, and what acts on the
// server of a page.
func keysWalkPages(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	file := s.output("db")
	s.write(file, "one hit\nnothing\ntwo hit\n")
	tab := visit(t, b, s.URL)
	press := func(keys, becomes string) {
		t.Helper()
		tab.Press(keys)
		tab.Wait(becomes)
	}
	const ready = `document.readyState === "complete" && typeof htmx === "object"`
	press("j", on("open-web"))
	press("j", on("open-db"))
	press("l", at("/servers/db/logs")+" && "+ready+` && !!`+theLine("two hit"))
	press("/", on("log-search"))
	press("hit\r", says("#log-hits", "Found 2 lines.")+` && document.querySelector(".l-at .l-x")?.textContent === "two hit"`)
	press("\x1b", `document.activeElement === document.body`)
	press("N", `document.querySelector(".l-at .l-x")?.textContent === "one hit"`)
	press("n", `document.querySelector(".l-at .l-x")?.textContent === "two hit"`)
	press("g", `document.activeElement.matches(".l:first-child .l-t") && document.activeElement.tabIndex === -1`)
	press("j", `document.activeElement.matches(".l:nth-child(2) .l-t")`)
	press("\r", `location.hash === "#" + document.querySelector(".l:nth-child(2)").id && document.querySelector(".l-at .l-x").textContent === "nothing"`)
	press("G", `document.activeElement.matches(".l:last-child .l-t")`)
	press("k", `document.activeElement.matches(".l:nth-child(2) .l-t")`)
	press("e", at("/servers/db/events")+" && "+live)
	for key, path := range []string{"", "/logs", "/events", "/processes", "/config"} {
		press(fmt.Sprint(key+1), at("/servers/db"+path)+` && document.querySelector(".tabs [aria-current]").dataset.tab === "`+fmt.Sprint(key+1)+`" && `+ready)
	}
	tab.Wait(live)
	press("]", at("/servers/api/config")+" && "+live)
	press("[", at("/servers/db/config")+" && "+live)
	press("[", at("/servers/web/config")+" && "+live)
	press("s", says("#panel-web", "running"))
	press("r", on("ask-yes")+" && "+says("#ask-title", "Restart web?"))
	press("\x1b", `!document.querySelector("#ask").open`)
	press("t", on("ask-yes")+" && "+says("#ask-title", "Stop web?"))
	press("\r", says("#panel-web", "stopped"))
	press("\x1b", at("/")+" && "+live)
	press("G", on("open-cache"))
	press("e", at("/servers/cache/events")+" && "+live)
	tab.MustBeClean()
}

// pushesMoveNothing pushes faster than anybody acts, while a text is selected,
// a menu is open and the page is scrolled.
func pushesMoveNothing(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	kind := services.Foreign
	s.change("cache", func(st *services.Status) {
		st.Port, st.Orphaned, st.OrphanKind, st.OrphanedPID, st.OrphanCommand = 80, true, &kind, 4711, "nginx"
	})
	s.start("web")
	tab := b.Open(t, browsertest.Size(1280, 260, "light"))
	tab.Go(s.URL)
	tab.Wait(live)
	tab.Click("#ask-cache")
	tab.Wait(`document.querySelector("#end-cache").matches(":popover-open")`)
	before := browsertest.Eval[string](tab, `(() => {
		scrollTo(0, 90);
		getSelection().selectAllChildren(document.querySelector("#open-web"));
		document.querySelector("#keep-cache").focus({ preventScroll: true });
		window.state = () => [scrollY, getSelection().toString(), document.activeElement.id, document.querySelector("#end-cache").matches(":popover-open")].join(" ");
		return state();
	})()`)
	if want := "90 web keep-cache true"; before != want {
		t.Fatalf("before anything is pushed it is %q, not %q", before, want)
	}
	browsertest.Eval[bool](tab, `(window.moved = "", (function look() { if (state() !== "90 web keep-cache true") moved ||= state(); requestAnimationFrame(look); })(), true)`)
	for i := range 60 {
		for _, name := range []string{"web", "cache", "db"} {
			s.change(name, func(st *services.Status) {
				st.Restarts = i + 1
				st.Why = fmt.Sprintf("change %d of many, with words that make the row as high as two lines are, and back again", i)
				if i%2 == 0 {
					st.Why = ""
				}
			})
		}
		if i%6 == 5 {
			tab.Wait(says("#server-web .c-restarts", fmt.Sprint(i+1)))
		}
	}
	tab.Wait(says("#server-web .c-restarts", "60") + " && " + says("#server-cache .c-restarts", "60"))
	if moved := browsertest.Eval[string](tab, `moved || (state() === "90 web keep-cache true" ? "" : state())`); moved != "" {
		t.Errorf("it became %q", moved)
	}
	tab.MustBeClean()
}

// dialogsAreForEverybody looks at what is only there for a while.
func dialogsAreForEverybody(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("web")
	for _, theme := range []string{"light", "dark"} {
		tab := b.Open(t, browsertest.Size(1280, 900, theme))
		tab.Go(s.URL)
		tab.Wait(live)
		browsertest.Eval[bool](tab, `(document.documentElement.dataset.theme = "`+theme+`", true)`)
		for _, open := range []struct{ keys, becomes, what string }{
			{"?", `document.querySelector("#help").open`, "the help"},
			{"j", on("open-web"), "a row"},
			{"t", on("ask-yes"), "a question"},
			{"x", `document.querySelector("#picked").textContent === "1"`, "the bar of what is selected"},
		} {
			tab.Press(open.keys)
			tab.Wait(open.becomes)
			tab.MustBeAccessible(t, open.what+" in "+theme)
			tab.Press("\x1b")
			tab.Wait(`!document.querySelector("dialog[open]")`)
		}
		tab.Ctrl("k")
		tab.Wait(`document.querySelector("#palette").open && ` + on("palette-box"))
		tab.MustBeAccessible(t, "the palette in "+theme)
		tab.Press("\x1b")
		tab.Wait(`!document.querySelector("#palette").open`)
		for _, choice := range []string{`dataset.density = "dense"`, `dataset.contrast = "more"`, `dataset.stale = ""`} {
			if choice == `dataset.stale = ""` {
				browsertest.Eval[bool](tab, `(delete document.documentElement.dataset.contrast, document.querySelector("#lost").hidden = false, true)`)
			}
			browsertest.Eval[bool](tab, `(document.documentElement.`+choice+`, true)`)
			tab.MustBeAccessible(t, choice+" in "+theme)
		}
		tab.MustBeClean()
	}
}

// motionIsReduced: whoever does not want motion sees none, and nothing moves on
// its own for anybody who waits.
func motionIsReduced(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.change("web", func(st *services.Status) { st.Phase, st.Want = services.Starting, services.Up })
	tab := b.Open(t, browsertest.Calm())
	tab.Go(s.URL)
	tab.Wait(live + " && " + says("#server-web", "starting"))
	tab.Wait(`document.getAnimations().every((a) => a.playState !== "running")`)
	tab.MustBeClean()
}

func contrastIsRemembered(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	ink := `getComputedStyle(document.querySelector(".foot")).color`
	usual := browsertest.Eval[string](tab, ink)
	tab.Press("?")
	tab.Wait(`document.querySelector("#contrast")?.checked === false`)
	tab.Click("#contrast")
	tab.Wait(`document.documentElement.dataset.contrast === "more" && ` + ink + ` !== "` + usual + `"`)
	tab.Go(s.URL + "/keys")
	tab.Wait(`document.documentElement.dataset.contrast === "more" && document.querySelector("#contrast").checked`)
	tab.Click("#contrast")
	tab.Wait(`document.documentElement.dataset.contrast === "usual" && ` + ink + ` === "` + usual + `"`)
	tab.MustBeClean()
}

func foldedIsNotSelected(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	for _, name := range []string{"web", "db"} {
		s.change(name, func(st *services.Status) { st.Group = "front" })
	}
	tab := visit(t, b, s.URL)
	tab.Click(`.fold[value="in front"]`)
	tab.Wait(sees("api cache"))
	tab.Click("#pick-all")
	tab.Wait(`document.querySelector("#picked").textContent === "2" && document.querySelector("#pick-all").checked && !document.querySelector("#server-web .pick").checked`)
	tab.Click(`.fold[value="in front"]`)
	tab.Wait(`document.querySelector("#pick-all").indeterminate`)
	// The group is found in a list that has no headings, too.
	tab.Click("#sort-name")
	tab.Wait(sees("api cache db web"))
	tab.Do(chromedp.Focus(chromedp.CSS("#filter")))
	tab.Press("front")
	tab.Wait(sees("db web"))
	tab.Click("#sort-memory")
	tab.Wait(`document.querySelector("th.c-use").ariaSort === "descending"`)
	tab.MustBeClean()
}

func logTimesAreLocal(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.write(s.output("web"), "a line\n")
	s.logs.End("web")
	tab := b.Open(t, browsertest.InZone("Asia/Kathmandu"))
	tab.Go(s.URL + "/servers/web/logs")
	tab.Wait(`!!` + theLine("a line") + ` && document.querySelector(".l-t[data-at]")`)
	const told = `((l) => l.textContent === new Date(Number(l.dataset.at)).toLocaleTimeString("en-GB"))(document.querySelector(".l-t"))`
	tab.Wait(told)
	// The time that is looked for is one of the same clock.
	browsertest.Eval[bool](tab, `(() => {
		window.asked = new Promise((done) => { const real = fetch; window.fetch = (url, ...more) => { const at = new URL(url, location.href).searchParams.get("at"); if (at) done(at); return real(url, ...more); }; });
		const box = document.querySelector("#log-at");
		box.value = "2026-01-02 03:04";
		box.focus();
		return true;
	})()`)
	tab.Press("\r")
	if at := browsertest.Eval[string](tab, "asked"); at != "2026-01-01T21:19:00.000Z" {
		t.Errorf("it asks for %s", at)
	}
	tab.MustBeClean()
}
