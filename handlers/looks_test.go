package handlers

import (
	"strings"
	"testing"
)

func TestPagesComeWithTheLooksThatWereChosen(t *testing.T) {
	a := newApp(t)
	for cookie, want := range map[string]string{
		"":                      `<html lang="en">`,
		"tend-looks=theme=dark": `<html lang="en" data-theme="dark">`,
		"a=b; tend-looks=density=dense&theme=light&contrast=more": `<html lang="en" data-theme="light" data-density="dense" data-contrast="more">`,
		`tend-looks=theme="><script>`:                             `<html lang="en">`,
		"tend-looks=theme=%zz":                                    `<html lang="en">`,
		"tend-looks=theme=blue&x=dark":                            `<html lang="en">`,
	} {
		r := request("GET", "/", "")
		r.Header.Set("Cookie", cookie)
		if page := a.serve(r).Body.String(); !strings.Contains(page, want) {
			t.Errorf("with %q the page begins with %.100s", cookie, page)
		}
	}
}
