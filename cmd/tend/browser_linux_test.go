package main

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"tend/handlers/browsertest"
	"tend/services"
)

// TestTheMainJobInABrowser is what the product is for: real servers, the real
// manager and a real browser.
func TestTheMainJobInABrowser(t *testing.T) {
	browser := browsertest.Start(t)
	w := newWard(t, 0, nil)
	address := freeAddress(t)
	w.args = []string{"--listen", address}
	w.configure("defaults: {backoff: {min: 10ms}}\nservers:\n  web: {command: [sleep, '1000'], autostart: false}\n  steady: {command: [sleep, '1000']}\n")
	w.open()
	steady := w.waitFor("steady", services.Running)
	tab := browser.Open(t)
	tab.Go("http://" + address)
	const live, lost = `document.querySelector("#link").dataset.link === "open"`, `document.querySelector("#link").dataset.link === "lost"`
	says := func(selector string, text any) string {
		return fmt.Sprintf(`document.querySelector(%q)?.innerText.includes(%q)`, selector, fmt.Sprint(text))
	}
	tab.Wait(live + " && " + says("#server-web", "stopped"))

	tab.Click("#start-web")
	tab.Wait(says("#server-web", "running"))
	first := w.waitFor("web", services.Running)
	tab.Wait(says("#server-web", first.PID))

	syscall.Kill(int(first.PID), syscall.SIGKILL)
	w.until("it has been started again", 10*time.Second, func() string {
		if s := w.status("web"); s.Phase != services.Running || s.PID == first.PID {
			return s.Why
		}
		return ""
	})
	second := w.status("web")
	tab.Wait(says("#server-web", second.PID) + " && " + says("#server-web .c-restarts", 1) + " && " + says("#server-web", "SIGKILL"))

	w.kill()
	tab.Wait(lost)
	w.open()
	tab.Wait(live)
	for name, pid := range map[string]services.Int{"web": second.PID, "steady": steady.PID} {
		tab.Wait(says("#server-"+name, "running") + " && " + says("#server-"+name, pid))
	}
	tab.Click("#stop-web")
	tab.Wait(says("#server-web", "stopped"))
	if runs(int(second.PID)) {
		t.Error("the page says stopped, but the process is alive")
	}
	tab.MustBeClean("ERR_CONNECTION", "WebSocket connection", "Failed to fetch", "htmx:ws:error")

	plain := browser.Open(t, browsertest.WithoutScripts())
	plain.Go("http://" + address)
	plain.Click("#server-web [value=start]")
	plain.Wait(says("#server-web", "running"))
	plain.Click("#server-web [value=stop]")
	plain.Wait(says("#server-web", "stopped"))
	plain.MustBeClean()
}

func TestABrowserStaysThroughAnUpgrade(t *testing.T) {
	browser := browsertest.Start(t)
	w, program := installed(t, 0)
	address := freeAddress(t)
	w.args = []string{"--listen", address}
	w.configure("servers:\n  web: {command: [sleep, '1000']}\n")
	w.open()
	before := w.waitFor("web", services.Running)
	tab := browser.Open(t)
	tab.Go("http://" + address)
	tab.Wait(`document.querySelector("#link").dataset.link === "open"`)
	browsertest.Eval[bool](tab, `(() => {
		window.lostAt = window.away = 0;
		new MutationObserver(() => {
			const open = document.querySelector("#link").dataset.link === "open";
			if (!open && !lostAt) lostAt = performance.now();
			if (open && lostAt && !away) away = performance.now() - lostAt;
		}).observe(document.querySelector("#link"), { attributes: true });
		return true;
	})()`)
	w.install(program)
	if code, out, errs := w.tend("upgrade"); code != 0 {
		t.Fatalf("upgrade: %d, %q, %q", code, out, errs)
	}
	tab.Wait(`away > 0`)
	away := browsertest.Eval[float64](tab, `away`)
	t.Logf("the page was without a manager for %.0f ms", away)
	if away > 5000 { // 1000 on a machine with nothing else to do
		t.Errorf("the page was without a manager for %.0f ms", away)
	}
	if after := w.status("web"); after.PID != before.PID {
		t.Errorf("the server had pid %d, now it has %d", before.PID, after.PID)
	}
	tab.Click("#stop-web") // and it still obeys
	tab.Wait(`document.querySelector("#server-web")?.innerText.includes("stopped")`)
	tab.MustBeClean("ERR_CONNECTION", "WebSocket connection", "Failed to fetch", "htmx:ws:error")
}
