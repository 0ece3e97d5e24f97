package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tend/handlers/browsertest"
	"tend/services"
)

// shown is the names of the servers that can be seen, in their order.
func shown(tab *browsertest.Tab) string {
	return browsertest.Eval[string](tab, shownNames)
}

const shownNames = `[...document.querySelectorAll(".row")].filter((row) => row.checkVisibility()).map((row) => row.querySelector(".name").textContent).join(" ")`

func sees(names string) string { return shownNames + ` === "` + names + `"` }

func listIsSearched(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	every := shown(tab)
	browsertest.Eval[bool](tab, `(document.querySelector("#filter").focus(), true)`)
	tab.Press("WE")
	tab.Wait(sees("web") + ` && location.search === "?q=WE"`) // by itself, when the typing is over
	tab.Press(" stop")
	tab.Wait(sees("web"))
	browsertest.Eval[bool](tab, `(htmx.trigger("#poll", "tend:poll"), true)`) // a list that comes now is the one looked for
	if got := browsertest.Eval[string](tab, `location.search + " " + document.querySelector("#poll").getAttribute("hx-get")`); got != "?q=WE+stop /?q=WE+stop" {
		t.Errorf("while somebody types, the list is asked for by %s", got)
	}
	// What is pushed obeys, unless somebody is in it.
	s.start("web")
	tab.Wait(sees(""))
	tab.Wait(says("#nothing", "No server matches."))
	s.start("cache")
	tab.Go(s.URL + browsertest.Eval[string](tab, `location.pathname + location.search`))
	tab.Wait(live + " && " + sees("") + ` && document.querySelector("#filter").value === "WE stop"`)
	tab.Click("#show-all")
	tab.Wait(sees(every) + ` && location.search === ""`)
	tab.Click(`.part[value="running"]`)
	tab.Wait(sees("web cache") + ` && document.querySelector(".part[value=running]").ariaPressed === "true"`)
	browsertest.Eval[bool](tab, `(document.querySelector("#stop-web").focus(), true)`)
	tab.Press("\r")
	tab.Wait(says("#server-web", "stopped"))
	tab.Wait(sees("web cache") + ` && document.activeElement.id === "stop-web" && document.querySelector(".part[value=running]").ariaPressed === "true"`)
	tab.Click("#open-cache")
	tab.Wait(`location.pathname === "/servers/cache"`)
	tab.Click("#back")
	tab.Wait(live + " && " + sees("cache") + ` && location.search === "?state=running"`)
	tab.MustBeClean()

	plain := b.Open(t, browsertest.WithoutScripts())
	plain.Go(s.URL + "/?q=cache")
	if got := shown(plain); got != "cache" {
		t.Errorf("without scripts are shown %q", got)
	}
	plain.Click(`.part[value="stopped"]`)
	plain.Wait(`location.search === "?q=cache&state=stopped"`)
	if got := shown(plain); got != "" {
		t.Errorf("of the stopped are shown %q", got)
	}
	plain.Click("#show-all")
	plain.Wait(`location.search === "" && ` + sees(every))
}

func listIsSorted(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	for i, name := range []string{"web", "db"} {
		s.change(name, func(st *services.Status) { st.Group, st.Restarts = "front", 5-i })
	}
	tab := visit(t, b, s.URL)
	every := shown(tab)
	tab.Click("#sort-restarts")
	tab.Wait(`location.search === "?sort=-restarts" && document.querySelector("th.c-restarts").ariaSort === "descending" && ` + sees("web db api cache"))
	tab.Click("#sort-restarts")
	tab.Wait(`location.search === "?sort=restarts" && document.querySelector("th.c-restarts").ariaSort === "ascending" && ` + sees("api cache db web"))
	tab.Click("#sort-restarts")
	tab.Wait(`location.search === "" && ` + sees(every))
	tab.Click(`.fold[value="in front"]`)
	tab.Wait(sees("api cache"))
	tab.Go(s.URL + "/?fold=in+front")
	tab.Wait(live + " && " + sees("api cache"))
	// A server comes: the page keeps its choices.
	s.Set(services.EventChanged, services.Status{Name: "new", Phase: services.Stopped, Want: services.Down})
	tab.Wait(sees("api cache new"))
	tab.Click(`.fold[value="in front"]`)
	tab.Wait(`location.search === "" && document.querySelector(".fold").ariaExpanded === "true"`)
	tab.MustBeClean()

	plain := b.Open(t, browsertest.WithoutScripts())
	plain.Go(s.URL)
	plain.Click(`.fold[value="in front"]`)
	plain.Wait(`location.search === "?fold=in+front" && ` + sees("api cache new"))
	plain.Click("#sort-name")
	plain.Wait(`location.search === "?fold=in+front&sort=name" && ` + sees("api cache db new web"))
}

func longListIsWhole(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	const many = 3 * firstRows
	for i := range many {
		s.Set(services.EventChanged, services.Status{Name: fmt.Sprintf("s%03d", i), Group: fmt.Sprint("group ", i/70), Phase: services.Stopped, Want: services.Down})
	}
	is := func(name, state string) string { // where it cannot be seen it has no inner text
		return fmt.Sprintf(`document.querySelector("#server-%s .c-state")?.textContent.includes(%q)`, name, state)
	}
	names := func(tab *browsertest.Tab) []string { return strings.Fields(shown(tab)) }
	plain := b.Open(t, browsertest.WithoutScripts())
	plain.Go(s.URL)
	every := names(plain)
	if len(every) != many+4 || !slices.Contains(every, "s299") {
		t.Errorf("without scripts are shown %q", every)
	}
	browsertest.Eval[bool](plain, `(document.querySelector("#server-s299 .plain [value=start]").click(), true)`)
	plain.Wait(is("s299", "running"))

	// What is pushed before its row is made is not lost.
	tab := b.Open(t, browsertest.First(`{
		const frame = requestAnimationFrame;
		window.requestAnimationFrame = (make) => { window.requestAnimationFrame = frame; window.make = make; };
		addEventListener("htmx:ws:before:message:incoming", () => { window.pushed = true; });
	}`))
	tab.Go(s.URL)
	tab.Wait(live)
	if n := len(names(tab)); n != firstRows {
		t.Errorf("%d servers are shown at first", n)
	}
	s.start("s298")
	tab.Wait(`window.pushed`)
	browsertest.Eval[bool](tab, `(make(), true)`)
	tab.Wait(is("s298", "running"))
	if browsertest.Eval[bool](tab, `!!document.querySelector("#rest, .plain")`) {
		t.Error("what is for browsers without scripts is there")
	}
	if got := names(tab); !slices.Equal(got, every) {
		t.Errorf("with scripts are shown %q, not %q", got, every)
	}
	if headings := browsertest.Eval[int](tab, `document.querySelectorAll(".heading").length`); headings != 5 {
		t.Errorf("there are %d headings", headings)
	}
	browsertest.Eval[bool](tab, `(document.querySelector("#stop-s299").click(), true)`)
	tab.Wait(is("s299", "stopped"))
	browsertest.Eval[bool](tab, `(document.querySelector("#filter").focus(), true)`)
	tab.Press("s298")
	tab.Wait(sees("s298") + ` && location.search === "?q=s298"`)
	tab.Click("#sort-name")
	tab.Wait(`document.querySelectorAll(".row").length === ` + fmt.Sprint(many+4) + ` && location.search === "?q=s298&sort=name" && ` + sees("s298"))
	tab.MustBeClean()
}

func longListIsFiltered(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	const many = 300
	for i := range many {
		s.Set(services.EventChanged, services.Status{Name: fmt.Sprintf("s%03d", i), Group: fmt.Sprint("group ", i/150), Phase: services.Stopped, Want: services.Down})
	}
	tab := visit(t, b, s.URL)
	tab.Wait(fmt.Sprintf(`document.querySelectorAll(".row").length === %d`, many+4))
	height := browsertest.Eval[float64](tab, `document.documentElement.scrollHeight`)
	screenful := browsertest.Eval[int](tab, `[...document.querySelectorAll(".row")].filter((row) => row.getBoundingClientRect().top < innerHeight).length`)
	// typed returns what is true before anything else can happen.
	typed := func(text, then string) string {
		return fmt.Sprintf(`(() => {
			const box = document.querySelector("#filter"), shown = () => %s.split(" ");
			box.focus();
			box.value = %q;
			box.dispatchEvent(new Event("input", { bubbles: true }));
			return %s;
		})()`, shownNames, text, then)
	}
	const sent = `{ key: "G", bubbles: true }`
	all := strings.Fields(shown(tab))
	hits := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !strings.HasPrefix(name, "s29") })
	for range 2 {
		if got := browsertest.Eval[[]string](tab, typed("s29", `shown()`)); len(hits) != 10 || !slices.Equal(got, hits) {
			t.Fatalf("with s29 in the box are shown %q", got)
		}
		top := browsertest.Eval[[]string](tab, typed("", `shown()`))
		if n := len(top) - len(hits); n < screenful || n > many/2 || !slices.Equal(top[:n], all[:n]) {
			t.Errorf("at once are shown %q, of which the screen holds %d", top, screenful)
		}
		if got := browsertest.Eval[float64](tab, `document.documentElement.scrollHeight`); got < height*0.9 || got > height*1.1 {
			t.Errorf("the page is %v high, and was %v", got, height)
		}
		tab.Wait(sees(strings.Join(all, " ")))
	}
	// Who does something else finds all rows.
	if last := browsertest.Eval[string](tab, typed("s29", `0`)+`, `+typed("s", `(box.blur(), document.body.dispatchEvent(new KeyboardEvent("keydown", `+sent+`)), document.activeElement.id)`)); last != "open-s299" {
		t.Errorf("the last row is %q", last)
	}
	if n := browsertest.Eval[string](tab, typed("s29", `0`)+`, `+typed("s", `(document.querySelector("#pick-all").click(), document.querySelector("#picked").textContent)`)); n != fmt.Sprint(len(all)) {
		t.Errorf("%s servers are selected, not %d", n, len(all))
	}

	// What is pushed obeys before it is painted, also far below.
	browsertest.Eval[bool](tab, typed("stopped", `true`))
	tab.Wait(sees(strings.Join(all, " ")))
	browsertest.Eval[bool](tab, `(() => {
		window.wrong = 0;
		const look = () => {
			const row = document.querySelector("#server-s299");
			if (row.dataset.kind === "running" && row.checkVisibility()) window.wrong++;
			requestAnimationFrame(look);
		};
		look();
		return true;
	})()`)
	s.start("s299")
	tab.Wait(`document.querySelector("#server-s299").dataset.kind === "running" && document.querySelector("#server-s299").hidden`)
	if n := browsertest.Eval[int](tab, `window.wrong`); n > 0 {
		t.Errorf("a row that does not match was seen in %d frames", n)
	}

	// Rows that are folded away take no room.
	browsertest.Eval[bool](tab, typed("", `true`))
	tab.Wait(sees(strings.Join(all, " ")))
	browsertest.Eval[bool](tab, `(document.querySelector(".fold[value='in group 0']").click(), true)`)
	tab.Wait(`document.querySelector(".fold[value='in group 0']").ariaExpanded === "false"`)
	rest := strings.Fields(shown(tab))
	height = browsertest.Eval[float64](tab, `document.documentElement.scrollHeight`)
	if got := browsertest.Eval[[]string](tab, typed("s29", `shown()`)); !slices.Equal(got, hits) {
		t.Errorf("below what is folded are shown %q", got)
	}
	if top := browsertest.Eval[[]string](tab, typed("", `shown()`)); len(top) < screenful+len(hits) || !slices.Equal(top[:screenful], rest[:screenful]) {
		t.Errorf("below what is folded are shown %q", top)
	}
	if got := browsertest.Eval[float64](tab, `document.documentElement.scrollHeight`); got < height*0.9 || got > height*1.1 {
		t.Errorf("with a group that is folded the page is %v high, and was %v", got, height)
	}
	tab.MustBeClean()
}

func severalAreAsked(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	if browsertest.Eval[bool](tab, `document.querySelector("#bulk").checkVisibility()`) {
		t.Error("the bar is there although nothing is selected")
	}
	tab.Click("#server-web .pick")
	tab.Click("#server-cache .pick")
	tab.Wait(`document.querySelector("#picked").textContent === "2"`)
	tab.Click("#bulk-start")
	tab.Wait(`document.querySelector("#ask").open && ` + says("#ask", "Start 2 servers?") + " && " + says("#ask", "web cache"))
	tab.Press("\x1b")
	tab.Wait(`!document.querySelector("#ask").open && document.activeElement.id === "bulk-start"`)
	if len(s.Orders()) != 0 {
		t.Errorf("the orders are %v", s.Orders())
	}
	tab.Press("\r")
	tab.Wait(`document.activeElement.id === "ask-yes"`)
	tab.Press("\r")
	tab.Wait(says("#server-web", "running") + " && " + says("#server-cache", "running") + ` && document.querySelector("#picked").textContent === "0"`)
	if orders := s.Orders(); len(orders) != 1 || len(orders[0].Servers) != 2 {
		t.Errorf("the orders are %v", orders)
	}
	tab.Click("#pick-all")
	tab.Wait(`document.querySelector("#picked").textContent === "4"`)
	tab.Click("#bulk-clear")
	tab.Wait(`document.querySelector("#picked").textContent === "0" && !document.querySelector("#pick-all").checked`)
	tab.MustBeClean()

	plain := b.Open(t, browsertest.WithoutScripts())
	plain.Go(s.URL)
	plain.Click("#server-web .pick")
	plain.Click("#bulk-stop")
	plain.Wait(says("#ask-title", "Stop web?"))
	plain.Click("#ask-yes")
	plain.Wait(`location.pathname === "/" && ` + says("#server-web", "stopped"))
}

func dependentsAreAsked(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("db")
	s.change("db", func(st *services.Status) { st.NeededBy = []string{"api"} })
	s.start("api")
	s.change("api", func(st *services.Status) { st.DependsOn = []string{"db"} })
	tab := visit(t, b, s.URL)
	tab.Click("#stop-db")
	tab.Wait(`document.querySelector("#ask").open && ` + says("#ask", "Also what needs them: api"))
	tab.Click("#ask .ask-more")
	tab.Click("#ask-yes")
	tab.Wait(says("#server-db", "stopped") + " && " + says("#server-api", "stopped"))
	tab.MustBeClean()
}
