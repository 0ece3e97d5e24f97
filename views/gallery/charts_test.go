package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tend/handlers/browsertest"
)

// TestPicturesOfChartsFitTheirWindows also takes the pictures when
// TEND_PICTURES names a directory.
func TestPicturesOfChartsFitTheirWindows(t *testing.T) {
	dir := os.Getenv("TEND_PICTURES")
	server := httptest.NewServer(routes())
	defer server.Close()
	browser := browsertest.Start(t)
	for _, theme := range themesFor(dir) {
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"360", 360, 6600}, {"1000", 1000, 5200}, {"1920", 1920, 3000}} {
			tab := browser.Open(t, browsertest.Size(size.width, size.height, theme))
			for _, name := range []string{"charts", "sparks"} {
				tab.Go(server.URL + "/" + name)
				if dir != "" {
					tab.Shoot(filepath.Join(dir, strings.Join([]string{name, size.name, theme}, "-")+".png"))
				}
				if wide := browsertest.Eval[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
					t.Errorf("/%s is %d pixels wider than a window of %d", name, wide, size.width)
				}
			}
			tab.MustBeClean()
		}
	}
}

func TestARangeIsChosenInPlaceAndStaysInTheAddress(t *testing.T) {
	server := httptest.NewServer(routes())
	defer server.Close()
	tab := browsertest.Start(t).Open(t, browsertest.Size(1000, 900, "light"))
	tab.Go(server.URL + "/servers/steady")
	browsertest.Eval[bool](tab, `window.same = true`)
	tab.Click("summary")
	tab.Click(`[id="range-7d"]`)
	tab.Wait(`document.querySelector(".charts [aria-current]").textContent === "7 d"`)
	tab.Wait(`location.search === "?range=7d" && window.same === true`)
	tab.Wait(`document.querySelector(".charts").getAttribute("hx-get").endsWith("?range=7d")`) // it is kept up to date as it is shown
	if !browsertest.Eval[bool](tab, `document.querySelector("details").open`) {
		t.Error("the table that was open is closed")
	}
	if n := browsertest.Eval[int](tab, `document.querySelectorAll(".charts").length`); n != 1 {
		t.Errorf("the page has %d sections of charts", n)
	}
	browsertest.Eval[bool](tab, `history.back() ?? true`)
	tab.Wait(`location.search === "" && document.querySelector(".charts [aria-current]").textContent === "24 h"`)
	tab.MustBeClean()
}

func TestARangeIsChosenWithoutScripts(t *testing.T) {
	server := httptest.NewServer(routes())
	defer server.Close()
	tab := browsertest.Start(t).Open(t, browsertest.WithoutScripts())
	tab.Go(server.URL + "/servers/steady")
	tab.Click(`[id="range-1h"]`)
	tab.Wait(`location.search === "?range=1h" && document.querySelector(".charts [aria-current]")?.textContent === "1 h"`)
}
