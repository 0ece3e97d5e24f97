package handlers

import (
	"net/http"
	"net/url"
	"slices"

	"tend/views/layout"
)

// looksCookie is written by static/js/theme.js, as the parameters of a query.
const looksCookie = "tend-looks"

// looksOf returns what was chosen in the browser that asks. What nobody can
// choose counts as nothing.
func looksOf(r *http.Request) layout.Looks {
	cookie, err := r.Cookie(looksCookie)
	if err != nil {
		return layout.Looks{}
	}
	chosen, err := url.ParseQuery(cookie.Value)
	if err != nil {
		return layout.Looks{}
	}
	one := func(name string, of ...string) string {
		if value := chosen.Get(name); slices.Contains(of, value) {
			return value
		}
		return ""
	}
	return layout.Looks{
		Theme: one("theme", "dark", "light"), Density: one("density", "dense", "roomy"), Contrast: one("contrast", "more", "usual"),
	}
}
