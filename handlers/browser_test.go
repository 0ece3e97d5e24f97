package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tend/handlers/browsertest"
	"tend/services"
)

func TestInABrowser(t *testing.T) {
	browser := browsertest.Start(t)
	for name, test := range map[string]func(*testing.T, *browsertest.Browser){
		"a click on start shows the server running":                  clickStart,
		"what happens changes the page by itself":                    pageFollows,
		"the focus and what is selected stay while a row is pushed":  focusStays,
		"an older state never replaces a newer one":                  olderLoses,
		"scripts that come late are not too late":                    lateScripts,
		"a page reconnects after the manager restarts":               pageReconnects,
		"everything works without scripts":                           withoutScripts,
		"pages stay up to date without websockets":                   withoutSockets,
		"everything can be done with the keyboard alone":             keyboardAlone,
		"what makes no sense now does nothing":                       disabledDoesNothing,
		"a foreign process is ended only after asking":               foreignAsks,
		"an orphan appears, can be stopped and goes":                 orphansComeAndGo,
		"an error is shown as a toast":                               errorsAreToasts,
		"a log is shown live, coloured and harmless":                 logIsLive,
		"a log keeps its place while somebody reads, and its bounds": logKeepsItsPlace,
		"a long log is scrolled back without a jump":                 logScrollsBack,
		"a log that is paused counts what comes":                     logPauses,
		"a link opens a log round its line, and a search finds":      logOpensAtALine,
		"the view of logs tells what is wrong":                       logTellsWhatIsWrong,
		"the choice of light or dark is remembered":                  themeIsRemembered,
		"the list shows what is looked for, and remembers it":        listIsSearched,
		"the list is sorted and folded, by its address alone, too":   listIsSorted,
		"a long list comes whole, with scripts and without":          longListIsWhole,
		"a long list is filtered from its top, and whole at once":    longListIsFiltered,
		"several servers are asked about once":                       severalAreAsked,
		"what depends on a server can be stopped with it":            dependentsAreAsked,
		"the graph is walked with the keyboard and repainted":        graphIsWalked,
		"the graph changes with the configuration":                   graphChanges,
		"every key does what the table says":                         keysDoEverything,
		"keys are explained and can be switched off":                 keysHelpAndRest,
		"the palette finds servers, pages and actions":               paletteFinds,
		"a push leaves an open question alone":                       pushesLeaveDialogsAlone,
		"keys lead through the pages":                                keysWalkPages,
		"fifty pushes a second move nothing":                         pushesMoveNothing,
		"what opens for a while is for everybody":                    dialogsAreForEverybody,
		"motion is reduced for whoever wants that":                   motionIsReduced,
		"the choice of more contrast is remembered":                  contrastIsRemembered,
		"what is folded away is not selected":                        foldedIsNotSelected,
		"times of a log are told in the zone of the browser":         logTimesAreLocal,
		"somebody signs in and out, with scripts and without":        signsIn,
		"a viewer is offered nothing that changes something":         viewersOnlyLook,
		"a page whose session is ended asks to sign in again":        revokedPageAsks,
		"who sees some servers is kept up to date about those":       limitedPagePolls,
		"an admin manages access":                                    adminsManageAccess,
		"times go on counting":                                       timesCount,
		"times are told in the zone of the browser":                  timesAreLocal,
	} {
		t.Run(name, func(t *testing.T) { test(t, browser) })
	}
}

const (
	live = `document.querySelector("#link")?.dataset.link === "open"`
	lost = `document.querySelector("#link")?.dataset.link === "lost"`
)

// says is true when an element shows a text, wherever its lines break.
func says(selector, text string) string {
	return fmt.Sprintf(`document.querySelector(%q)?.innerText.replace(/\s+/g, " ").includes(%q)`, selector, text)
}

func visit(t *testing.T, b *browsertest.Browser, url string) *browsertest.Tab {
	t.Helper()
	tab := b.Open(t)
	tab.Go(url)
	tab.Wait(live)
	return tab
}

func clickStart(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	tab.Wait(says("#server-web", "stopped"))
	tab.Click("#start-web")
	tab.Wait(says("#server-web", "running"))
	tab.Wait(says("#server-web", fmt.Sprint(s.status("web").PID)))
	tab.Wait(says("#summary", "1 running"))
	tab.Click("#restart-web")
	tab.Wait(says("#server-web", fmt.Sprint(s.status("web").PID)))
	tab.Click("#stop-web")
	tab.Wait(says("#server-web", "stopped"))
	tab.Click("#open-api")
	tab.Wait(live + " && " + says("#panel-api", "stopped"))
	tab.Click("#start-api")
	tab.Wait(says("#panel-api", "running"))
	tab.Click("#more-api")
	tab.Click("#kill-api")
	tab.Wait(says("#panel-api", "stopped"))
	tab.Wait(`!document.querySelector("#menu-api").matches(":popover-open")`)
	tab.MustBeClean()
	var got []string
	for _, o := range s.Orders() {
		got = append(got, string(o.Action)+" "+strings.Join(o.Servers, ","))
	}
	if list := strings.Join(got, "; "); list != "start web; restart web; stop web; start api; kill api" {
		t.Errorf("the orders are: %s", list)
	}
}

func pageFollows(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	s.start("api")
	tab.Wait(says("#server-api", "running") + " && " + says("#server-db", "running"))
	s.change("api", func(st *services.Status) {
		st.Phase, st.Why, st.PID, st.Healthy = services.Failed, "exited with <code> 1", 0, nil
	})
	tab.Wait(says("#server-api", "failed") + " && " + says("#server-api", "exited with <code> 1"))
	tab.Wait(says("#summary", "1 failed"))
	tab.Wait(`document.querySelector("#announce").textContent === "1 failed" && document.title === "(1) tend" && document.querySelector("#icon").getAttribute("href").includes("icon-bad")`)
	tab.MustBeClean()
}

func focusStays(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("web")
	tab := visit(t, b, s.URL)
	tab.Click("#server-web .pick")
	browsertest.Eval[bool](tab, `(window.button = document.querySelector("#restart-web"), button.focus(), true)`)
	for i := range 50 {
		s.change("web", func(st *services.Status) { st.Restarts = i + 1 })
		if i%10 == 9 {
			tab.Wait(says("#server-web .c-restarts", fmt.Sprint(i+1)))
		}
	}
	tab.Wait(says("#server-web .c-restarts", "50"))
	if !browsertest.Eval[bool](tab, `document.activeElement === button && button.isConnected`) {
		t.Errorf("the focus is on %s", browsertest.Eval[string](tab, `document.activeElement.outerHTML`))
	}
	if !browsertest.Eval[bool](tab, `document.querySelector("#server-web .pick").checked && document.querySelector("#picked").textContent === "1"`) {
		t.Error("the server is not selected any more")
	}
	for range 2 { // the second time it is the same list
		browsertest.Eval[bool](tab, `new Promise((done) => {
			addEventListener("htmx:after:request", () => setTimeout(done, 100, true), { once: true });
			htmx.trigger("#poll", "tend:poll");
		})`)
	}
	if !browsertest.Eval[bool](tab, `document.querySelector("#server-web").hasAttribute("data-picked")`) {
		t.Error("the server does not look selected after the same list came again")
	}
	// Also when the whole list comes anew, and when the control makes no sense any more.
	kind := services.Unconfigured
	s.Set(services.EventOrphan, services.Status{Name: "aaa", Phase: services.Running, Want: services.Up, Running: true, Orphaned: true, OrphanKind: &kind, OrphanedPID: 9, PID: 9})
	s.change("web", func(st *services.Status) { st.Phase, st.Want = services.Stopping, services.Down })
	tab.Wait(says("#server-aaa", "orphaned") + " && " + says("#server-web", "stopping"))
	if !browsertest.Eval[bool](tab, `document.activeElement === button && button.ariaDisabled === "true"`) {
		t.Errorf("the focus is on %s", browsertest.Eval[string](tab, `document.activeElement.outerHTML`))
	}
	tab.MustBeClean()
}

func olderLoses(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	before := browsertest.Eval[string](tab, `document.querySelector("#server-web").outerHTML`)
	s.start("web")
	tab.Wait(says("#server-web", "running"))
	for _, swap := range []string{
		`{target: "#server-web", swap: "outerMorph", text: old}`,
		`{target: "#poll", swap: "none", text: '<hx-partial hx-target="#server-web" hx-swap="outerMorph">' + old + "</hx-partial>"}`,
	} {
		browsertest.Eval[bool](tab, fmt.Sprintf(`(async (old) => { await htmx.swap({sourceElement: document.body, ...%s}); return true })(%q)`, swap, before))
		if text := tab.Text("#server-web"); !strings.Contains(text, "running") {
			t.Errorf("an old state was put back by %s: %s", swap, text)
		}
	}
	tab.MustBeClean()
}

func lateScripts(t *testing.T, b *browsertest.Browser) {
	late := make(chan struct{})
	s := newSite(t, func(s *site) {
		s.front = func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "all.js") {
					<-late
				}
				h.ServeHTTP(w, r)
			})
		}
	})
	tab := b.Open(t)
	browsertest.Eval[bool](tab, fmt.Sprintf(`(location.href = %q, true)`, s.URL))
	tab.Wait(says("#server-web", "stopped"))
	close(late)
	tab.Wait(live)
	tab.MustBeClean()
}

func pageReconnects(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	s.close()
	tab.Wait(says("#lost", "Connection lost") + ` && document.documentElement.hasAttribute("data-stale") && /^in [1-5] s$|^now$/.test(document.querySelector("#lost-next").textContent)`)
	tab.Wait(`parseInt(document.querySelector("#lost-age").textContent) >= 2`)
	s.start("web")
	s.open()
	tab.Wait(live + ` && document.querySelector("#lost").hidden && !document.documentElement.hasAttribute("data-stale")`)
	tab.Wait(says("#server-web", "running"))
	s.start("cache")
	tab.Wait(says("#server-cache", "running"))
	tab.MustBeClean("ERR_CONNECTION", "WebSocket connection", "Failed to fetch", "WebSocket is closed", "htmx:ws:error")
}

func withoutScripts(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	file := s.output("web")
	s.write(file, "hello from \x1b[31mweb\x1b[0m\n")
	tab := b.Open(t, browsertest.WithoutScripts())
	tab.Go(s.URL)
	tab.Wait(`document.querySelectorAll("[data-scripted]").length > 0 && ![...document.querySelectorAll("[data-scripted]")].some((part) => part.checkVisibility())`)
	tab.Click("#server-web [value=start]")
	tab.Wait(says("#server-web", "running"))
	tab.Click("#open-web")
	tab.Wait(says("#screen", "hello from web") + " && " + says("#panel-web", "running"))
	tab.Click("#stop-web")
	tab.Wait(`location.pathname === "/servers/web" && ` + says("#panel-web", "stopped"))
	s.Refuse(services.Errorf(services.Conflict, "port 80 is held by <somebody>"))
	tab.Click("#start-web")
	tab.Wait(says("main", "port 80 is held by <somebody>"))
	s.Refuse(nil)
	tab.Click("#back")
	tab.Wait(says("#server-web", "stopped"))
	s.start("web")
	tab.Wait(says("#server-web", "running")) // by itself, after some seconds
	s.change("cache", func(st *services.Status) {
		kind := services.Foreign
		st.Port, st.Orphaned, st.OrphanKind, st.OrphanedPID, st.OrphanCommand = 80, true, &kind, 4711, "nginx"
	})
	tab.Wait(says("#server-cache", "4711"))
	tab.Click("#ask-cache")
	tab.Click("#orphan-cache")
	tab.Wait(says("#server-cache", "stopped"))
	tab.MustBeClean("409")
}

func withoutSockets(t *testing.T, b *browsertest.Browser) {
	s := newSite(t, func(s *site) { s.deaf = true })
	tab := b.Open(t)
	tab.Go(s.URL)
	tab.Wait(lost)
	s.start("web")
	tab.Wait(says("#server-web", "running"))
	if !browsertest.Eval[bool](tab, `document.querySelector("#lost").hidden`) {
		t.Error("the page says that it is lost, though it is kept up to date")
	}
	tab.Click("#stop-web")
	tab.Wait(says("#server-web", "stopped"))
	tab.MustBeClean("WebSocket connection", "404", "htmx:ws:error")
}

func keyboardAlone(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	reach := func(id string) {
		t.Helper()
		for range 60 {
			if browsertest.Eval[string](tab, `document.activeElement.id`) == id {
				return
			}
			tab.Press("\t")
		}
		t.Fatalf("the key tab does not reach %s", id)
	}
	tab.Press("\t")
	if text := browsertest.Eval[string](tab, `document.activeElement.textContent`); text != "Skip to the content" {
		t.Errorf("first comes %q", text)
	}
	reach("start-web")
	tab.Press("\r")
	tab.Wait(says("#server-web", "running"))
	if id := browsertest.Eval[string](tab, `document.activeElement.id`); id != "start-web" {
		t.Errorf("after that the focus is on %q", id)
	}
	browsertest.Eval[bool](tab, `(document.querySelector("#server-web .pick").focus(), true)`)
	tab.Press(" ")
	reach("bulk-kill")
	tab.Press("\r")
	tab.Wait(`document.activeElement.id === "ask-yes"`)
	tab.Press("\r")
	tab.Wait(says("#server-web", "stopped") + ` && !document.querySelector("#ask").open`)
	browsertest.Eval[bool](tab, `(document.querySelector("#home").focus(), true)`)
	reach("open-api")
	tab.Press("\r")
	tab.Wait(`location.pathname === "/servers/api"`)
	tab.MustBeClean()
}

func disabledDoesNothing(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	tab.Click("#stop-web")
	tab.Click("#restart-web")
	tab.Click("#start-web")
	tab.Wait(says("#server-web", "running"))
	if orders := s.Orders(); len(orders) != 1 {
		t.Errorf("the orders are %v", orders)
	}
}

func foreignAsks(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	kind := services.Foreign
	s.change("web", func(st *services.Status) {
		st.Port, st.Orphaned, st.OrphanKind, st.OrphanedPID, st.OrphanCommand = 8080, true, &kind, 4711, "python3 -m http.server 8080"
	})
	tab := visit(t, b, s.URL)
	tab.Wait(says("#server-web", "python3 -m http.server 8080") + " && " + says("#server-web", "4711"))
	tab.Click("#ask-web")
	tab.Wait(`document.querySelector("#end-web").matches(":popover-open")`)
	tab.Click("#keep-web")
	tab.Wait(`!document.querySelector("#end-web").matches(":popover-open")`)
	if orders := s.Orders(); len(orders) != 0 {
		t.Fatalf("before anybody agreed there were the orders %v", orders)
	}
	tab.Click("#ask-web")
	tab.Click("#orphan-web")
	tab.Wait(says("#server-web", "stopped") + ` && !document.querySelector("#end-web")`)
	if orders := s.Orders(); len(orders) != 1 || orders[0].Orphan != 4711 || orders[0].Action != services.Stop {
		t.Errorf("the orders are %v", orders)
	}
	tab.MustBeClean()
}

func orphansComeAndGo(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab, other := visit(t, b, s.URL), b.Open(t)
	kind := services.Unconfigured
	s.Set(services.EventOrphan, services.Status{
		Name: "old", Command: "./old", Phase: services.Running, Want: services.Up, Running: true, PID: 99,
		Orphaned: true, OrphanKind: &kind, OrphanedPID: 99, OrphanCommand: "./old",
	})
	tab.Wait(says("#group-left", "No longer in the configuration") + " && " + says("#server-old", "99"))
	other.Go(s.URL + "/servers/old")
	other.Wait(live)
	tab.Click("#stop-old")
	tab.Wait(`!document.querySelector("#server-old") && !document.querySelector("#group-left")`)
	other.Wait(says("#panel-old", "gone"))
	tab.MustBeClean()
	other.MustBeClean("404") // its log's stream
}

func errorsAreToasts(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := visit(t, b, s.URL)
	s.Refuse(services.Errorf(services.Conflict, "port 80 is held by <b>somebody</b>"))
	tab.Click("#start-web")
	tab.Wait(says("#toasts", "port 80 is held by <b>somebody</b>") + " && " + says("#server-web", "stopped"))
	tab.Click(".toast")
	tab.Wait(`!document.querySelector(".toast")`)
	tab.MustBeClean("409")
}

func logIsLive(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("web")
	file := s.output("web")
	s.write(file, "first\n")
	tab := visit(t, b, s.URL+"/servers/web")
	tab.Wait(says("#screen", "first"))
	s.write(file, "\x1b[31mred\x1b[0m <script>document.title = 'evil'</script> \x00\xff\n")
	tab.Wait(`document.querySelector("#screen .f1")?.textContent === "red"`)
	tab.Wait(says("#screen", "<script>document.title = 'evil'</script> \u2400\ufffd"))
	s.write(file, "a line without ")
	tab.Wait(says("#screen", "a line without"))
	s.write(file, "its end\n")
	tab.Wait(`[...document.querySelectorAll("#screen .l-x")].some((l) => l.textContent === "a line without its end")`)
	if n := browsertest.Eval[int](tab, `document.querySelectorAll("#screen .l").length`); n != 3 {
		t.Errorf("%d lines are shown: %q", n, tab.Text("#screen"))
	}
	s.write(file, strings.Repeat("x", 1<<20)+"\nafter\n")
	tab.Wait(says("#screen", "after"))
	if n := browsertest.Eval[int](tab, `document.querySelector("#screen").textContent.length`); n > 400<<10 {
		t.Errorf("a line of a megabyte is shown with %d characters", n)
	}
	tab.MustBeClean()
}

func logKeepsItsPlace(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	file := s.output("web")
	var many strings.Builder
	for i := range 150 {
		fmt.Fprintf(&many, "line %d\n", i)
	}
	s.write(file, many.String())
	tab := visit(t, b, s.URL+"/servers/web")
	tab.Wait(says("#screen", "line 149"))
	const atEnd = `((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 24)(document.querySelector("#screen"))`
	tab.Wait(atEnd)
	s.write(file, "at the end\n")
	tab.Wait(says("#screen", "at the end") + " && " + atEnd)
	browsertest.Eval[bool](tab, `(document.querySelector("#screen").scrollTop = 100, true)`)
	tab.Wait(`!document.querySelector("#log-end").hidden`)
	s.write(file, "further down\n")
	tab.Wait(says("#screen", "further down"))
	if top := browsertest.Eval[int](tab, `document.querySelector("#screen").scrollTop`); top != 100 {
		t.Errorf("the reader was moved to %d", top)
	}
	tab.Click("#log-end")
	tab.Wait(atEnd + ` && document.querySelector("#log-end").hidden`)
	many.Reset()
	for i := range 5000 {
		fmt.Fprintf(&many, "flood %d\n", i)
	}
	s.write(file, many.String())
	tab.Wait(says("#screen", "flood 4999") + " && " + atEnd)
	if n := browsertest.Eval[int](tab, `document.querySelector("#screen").childElementCount`); n > 2000 {
		t.Errorf("%d lines are kept", n)
	}
	tab.MustBeClean()
}

func themeIsRemembered(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	tab := b.Open(t, browsertest.Size(1280, 900, "dark"))
	tab.Go(s.URL)
	look := func() string {
		return browsertest.Eval[string](tab, `getComputedStyle(document.documentElement).backgroundColor`)
	}
	sun := func() bool {
		return browsertest.Eval[bool](tab, `document.querySelector("#theme .icon-sun").checkVisibility()`)
	}
	tab.Wait(`!document.querySelector("#theme").hidden`)
	dark := look()
	if !sun() {
		t.Error("in the dark, which the system has chosen, the button shows no sun")
	}
	tab.Click("#theme")
	tab.Wait(`document.documentElement.dataset.theme === "light"`)
	if light := look(); light == dark || sun() {
		t.Errorf("light is as dark as dark: %s", light)
	}
	tab.Click("#density")
	tab.Wait(`document.documentElement.dataset.density === "dense"`)
	tab.Go(s.URL + "/servers/web")
	tab.Wait(`document.documentElement.dataset.theme === "light"`)
	tab.MustBeClean()
}

func timesCount(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.start("web")
	s.change("web", func(st *services.Status) { st.StartedAt = services.Time{Time: time.Now().Add(-59 * time.Minute)} })
	tab := visit(t, b, s.URL)
	shown := browsertest.Eval[string](tab, `document.querySelector("#server-web .c-up time").textContent`)
	if !strings.HasPrefix(shown, "59m 0") {
		t.Errorf("it shows %q", shown)
	}
	tab.Wait(fmt.Sprintf(`document.querySelector("#server-web .c-up time").textContent !== %q`, shown))
	// The page and the manager write times in the same way.
	page := browsertest.Eval[string](tab, `document.querySelector("#server-web .c-up time").textContent`)
	list, err := s.List(context.Background())
	if err != nil || len(list) == 0 || !strings.HasPrefix(page, "59m 0") {
		t.Errorf("it goes on with %q", page)
	}
}

func timesAreLocal(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	at := time.Now().Add(-time.Hour)
	s.change("web", func(st *services.Status) { st.Exit = &services.Exit{Code: 1, Seen: true, At: at} })
	zone := time.FixedZone("Kathmandu", int((5*time.Hour + 45*time.Minute).Seconds()))
	local := func(at time.Time) string {
		if at.In(zone).YearDay() != time.Now().In(zone).YearDay() {
			return at.In(zone).Format("2 Jan 15:04")
		}
		return at.In(zone).Format(time.TimeOnly)
	}
	tab := b.Open(t, browsertest.InZone("Asia/Kathmandu"))
	tab.Go(s.URL)
	tab.Wait(live + " && " + says("#server-web .exit-at", local(at)) + ` && !document.querySelector("#zone").hidden`)
	at = at.Add(time.Minute)
	s.change("web", func(st *services.Status) { st.Exit = &services.Exit{Code: 2, Seen: true, At: at} })
	tab.Wait(says("#server-web", "code 2") + " && " + says("#server-web .exit-at", local(at)))
	tab.MustBeClean()
}
