package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tend/handlers/browsertest"
	"tend/views/canned"
)

// TestPicturesOfGraphsFitTheirWindows also takes the pictures when
// TEND_PICTURES names a directory.
func TestPicturesOfGraphsFitTheirWindows(t *testing.T) {
	dir := os.Getenv("TEND_PICTURES")
	server := httptest.NewServer(routes())
	defer server.Close()
	browser := browsertest.Start(t)
	for _, theme := range themesFor(dir) {
		for _, size := range []struct {
			name          string
			width, height int64
		}{{"320", 320, 1000}, {"360", 360, 1200}, {"1280", 1280, 900}} {
			tab := browser.Open(t, browsertest.Size(size.width, size.height, theme))
			for _, name := range canned.Graphs {
				tab.Go(server.URL + "/graph/" + name)
				browsertest.Eval[bool](tab, `(document.querySelector("#graph-list") ?? {}).open = true`)
				if dir != "" {
					tab.Shoot(filepath.Join(dir, strings.Join([]string{"graph", name, size.name, theme}, "-")+".png"))
				}
				if wide := browsertest.Eval[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
					t.Errorf("/graph/%s is %d pixels wider than a window of %d", name, wide, size.width)
				}
				// What is in a box has to fit into it.
				if over := browsertest.Eval[string](tab, `[...document.querySelectorAll(".node")].flatMap((node) => {
					const box = node.querySelector("rect").getBoundingClientRect();
					const texts = [...node.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
					const [word, port] = [".node-word", ".node-port"].map((c) => node.querySelector(c)?.getBoundingClientRect());
					return texts.some((r) => r.left < box.left + 8 || r.right > box.right - 8 || r.top < box.top || r.bottom > box.bottom) || port && word.right > port.left ? [node.id] : [];
				}).join(" ")`); over != "" {
					t.Errorf("/graph/%s at %d: the words do not fit into %s", name, size.width, over)
				}
			}
			tab.MustBeClean()
		}
	}
}
