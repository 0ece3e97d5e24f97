package handlers

import (
	"fmt"
	"os"
	"testing"

	"tend/handlers/browsertest"
)

// theLine is the line of the view of logs that has a text.
func theLine(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#log-screen .l")].find((l) => l.querySelector(".l-x").textContent === %q)`, text)
}

const logAtEnd = `((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 24)(document.querySelector("#log-screen"))`

func logScrollsBack(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.write(s.output("web"), numbered(0, 6000))
	tab := b.Open(t)
	tab.Go(s.URL + "/servers/web/logs")
	tab.Wait(`!!` + theLine("line 5999") + " && " + logAtEnd)
	// Again and again to the top: the line that stands there has to stay where it is.
	moved := browsertest.Eval[string](tab, `(async () => {
		const screen = document.querySelector("#log-screen");
		const frame = () => new Promise((done) => requestAnimationFrame(done));
		let most = 0;
		for (let i = 0; i < 400; i++) {
			screen.scrollTop = 100;
			const line = [...screen.children].find((l) => l.getBoundingClientRect().bottom > screen.getBoundingClientRect().top);
			const place = line.getBoundingClientRect().top, first = screen.firstElementChild;
			for (let f = 0; f < 300 && screen.firstElementChild === first && !first.textContent.endsWith("line 0"); f++) await frame();
			const now = line.getBoundingClientRect().top;
			if (Math.abs(now - place) > 2) return "the line " + line.textContent + " went from " + place + " to " + now;
			most = Math.max(most, screen.childElementCount);
			if (screen.firstElementChild.textContent.endsWith("line 0")) break;
		}
		return most <= 1500 && screen.firstElementChild.textContent.endsWith("line 0") ? "" : most + " lines, the first is " + screen.firstElementChild.textContent;
	})()`)
	if moved != "" {
		t.Error(moved)
	}
	// And down again: nothing is missing, and in the end it follows.
	order := browsertest.Eval[string](tab, `(async () => {
		const screen = document.querySelector("#log-screen");
		const frame = () => new Promise((done) => requestAnimationFrame(done));
		for (let i = 0; i < 3000; i++) {
			screen.scrollTop = screen.scrollHeight;
			await frame();
			const numbers = [...screen.children].map((l) => Number(l.querySelector(".l-x").textContent.split(" ")[1]));
			for (let k = 1; k < numbers.length; k++) if (numbers[k] !== numbers[k - 1] + 1) return numbers[k - 1] + " is followed by " + numbers[k];
			if (numbers.length > 1500) return numbers.length + " lines";
			if (numbers.at(-1) === 5999) return "";
		}
		return "the end never comes";
	})()`)
	if order != "" {
		t.Error(order)
	}
	tab.MustBeClean()
}

func logPauses(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	file := s.output("web")
	s.write(file, numbered(0, 500))
	tab := b.Open(t)
	tab.Go(s.URL + "/servers/web/logs")
	tab.Wait(says("#log-follow", "Pause") + ` && document.querySelector("#log-state").dataset.link === "open" && ` + logAtEnd)
	s.write(file, "seen\n")
	tab.Wait(`!!` + theLine("seen") + " && " + logAtEnd)
	tab.Click("#log-follow")
	s.write(file, numbered(1000, 1128))
	tab.Wait(says("#log-waiting", "128 new lines"))
	if browsertest.Eval[bool](tab, `!!`+theLine("line 1127")) {
		t.Error("lines come though it is paused")
	}
	tab.Click("#log-waiting")
	tab.Wait(`!!` + theLine("line 1127") + " && " + logAtEnd + ` && document.querySelector("#log-waiting").hidden`)
	s.write(file, "and on\n")
	tab.Wait(`!!` + theLine("and on") + " && " + logAtEnd)
	tab.MustBeClean()
}

func logOpensAtALine(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	web, api := s.output("web"), s.output("api")
	s.write(web, numbered(0, 6000))
	s.logs.End("web")
	s.write(api, "one of api\n")
	s.logs.End("api")
	marked := func(text string) string {
		return `document.querySelector("#log-screen .l-at .l-x")?.textContent === "` + text + `" && ((l, s) => l.top >= s.top && l.bottom <= s.bottom)(document.querySelector(".l-at").getBoundingClientRect(), document.querySelector("#log-screen").getBoundingClientRect())`
	}
	tab := b.Open(t)
	tab.Go(s.URL + "/servers/web/logs?q=LINE+77%24&re=1")
	tab.Wait(says("#log-hits", "Found nothing."))
	tab.Go(s.URL + "/servers/web/logs?q=line+77")
	tab.Wait(says("#log-hits", "Found 11 lines.") + " && " + marked("line 779"))
	tab.Click("#log-previous")
	tab.Wait(marked("line 778"))
	tab.Click("#log-next")
	tab.Wait(marked("line 779"))
	link := browsertest.Eval[string](tab, `document.querySelector(".l-at .l-t").href`)
	other := b.Open(t)
	other.Go(link)
	other.Wait(marked("line 779"))
	place := browsertest.Eval[string](other, `location.hash`)
	third := b.Open(t)
	third.Go(s.URL + "/servers/web/logs" + place)
	third.Wait(marked("line 779"))
	both := b.Open(t)
	both.Go(s.URL + "/logs?server=web&server=api")
	both.Wait(`!!` + theLine("one of api") + " && " + says("#log-screen .l:last-child .l-s", "api"))
	s.write(web, "ERROR of web\n")
	both.Wait(`!!` + theLine("ERROR of web"))
	for _, tab := range []*browsertest.Tab{tab, other, third, both} {
		tab.MustBeClean()
	}
	if dir := os.Getenv("TEND_PICTURES"); dir != "" {
		tab.Shoot(dir + "/logs-search.png")
	}
}

func logTellsWhatIsWrong(t *testing.T, b *browsertest.Browser) {
	s := newSite(t)
	s.write(s.output("web"), "INFO one\nERROR two\n")
	tab := b.Open(t)
	tab.Go(s.URL + "/servers/web/logs")
	tab.Wait(`!!` + theLine("ERROR two"))
	tab.Click("#log-re")
	tab.Click("#log-search")
	tab.Press("(")
	tab.Click("#log-go")
	tab.Wait(says("#log-problem", "That is not a regular expression: missing closing )"))
	tab.Click("#log-search")
	tab.Press("two)")
	tab.Click("#log-go")
	tab.Wait(`document.querySelector("#log-problem").hidden && document.querySelector(".hit")?.textContent === "two"`)
	tab.Click("#log-only")
	tab.Wait(`document.querySelectorAll("#log-screen .l").length === 1`)
	tab.Click("#log-only")
	tab.Wait(`document.querySelectorAll("#log-screen .l").length === 2`)
	browsertest.Eval[bool](tab, `((l) => { l.value = "error"; l.dispatchEvent(new Event("change")); return true; })(document.querySelector("#log-level"))`)
	tab.Wait(`document.querySelectorAll("#log-screen .l").length === 1 && location.search.includes("level=error")`)
	tab.MustBeClean()
	tab.Click("#log-at")
	tab.Press("2020-01-01\r")
	tab.Wait(`document.querySelector(".l-at .l-x")?.textContent === "ERROR two"`)
	tab.MustBeClean()

	other := b.Open(t)
	other.Go(s.URL + "/servers/web/logs#7.7")
	other.Wait(says("#log-problem", "no longer in the log"))
	plain := b.Open(t, browsertest.WithoutScripts())
	plain.Go(s.URL + "/servers/web/logs?level=error")
	plain.Wait(`document.querySelectorAll("#log-screen .l").length === 1 && document.querySelector("#log-newest").offsetWidth > 0 && document.querySelector("#log-follow").offsetWidth === 0`)
	other.MustBeClean()
	plain.MustBeClean()
}
