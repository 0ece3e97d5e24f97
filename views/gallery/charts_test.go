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
	for _, theme := range []string{"light", "dark"} {
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
				if wide := browsertest.Eval[int](tab, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
					t.Errorf("/%s is %d pixels wider than a window of %d", name, wide, size.width)
				}
			}
			tab.MustBeClean()
		}
	}
}
