package static

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestVendoredFilesAreTheOnesThatWerePinned(t *testing.T) {
	list, err := files.ReadFile("vendor/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	pinned := map[string]bool{"SHA256SUMS": true}
	for line := range strings.Lines(string(list)) {
		want, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("%q is not a line of sha256sum", line)
		}
		pinned[name] = true
		content, err := files.ReadFile("vendor/" + name)
		if err != nil {
			t.Errorf("%s is pinned but not here: %v", name, err)
			continue
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s is not the file that was pinned", name)
		}
	}
	entries, err := fs.ReadDir(files, "vendor")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); !pinned[name] && !strings.HasPrefix(name, "LICENSE") {
			t.Errorf("vendor/%s is not in SHA256SUMS", name)
		}
	}
}

func get(method, target string) *http.Response {
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w.Result()
}

func TestAddressesCarryTheVersionAndMayBeKeptForEver(t *testing.T) {
	url := URL("vendor/htmx-4.0.1.min.js")
	if !regexp.MustCompile(`^/static/[0-9a-f]{16}/vendor/htmx-4\.0\.1\.min\.js$`).MatchString(url) {
		t.Errorf("the address is %s", url)
	}
	res := get("GET", url)
	if res.StatusCode != 200 || res.ContentLength == 0 {
		t.Errorf("status %d, length %d", res.StatusCode, res.ContentLength)
	}
	for header, want := range map[string]string{
		"Content-Type":           "text/javascript; charset=utf-8",
		"Cache-Control":          "public, max-age=31536000, immutable",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := res.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
}

func TestEverythingElseIsNotFoundAndNotKept(t *testing.T) {
	good := URL("vendor/htmx-4.0.1.min.js")
	for _, target := range []string{
		"/static/", "/static/vendor/htmx-4.0.1.min.js", "/static/0000000000000000/vendor/htmx-4.0.1.min.js",
		URL(""), URL("vendor"), URL("vendor/"), URL("vendor/none.js"), URL("../static.go"), URL("vendor/../vendor/SHA256SUMS"), URL("%2e%2e/static.go"),
		strings.ToUpper(good), good + "/",
	} {
		res := get("GET", target)
		if res.StatusCode != 404 || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d, %v", target, res.StatusCode, res.Header)
		}
	}
	if res := get("POST", good); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, %v", res.StatusCode, res.Header)
	}
}

func TestEveryFileHasAKnownType(t *testing.T) {
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		if res := get("HEAD", URL(name)); res.StatusCode != 200 {
			t.Errorf("%s: status %d: enter its type", name, res.StatusCode)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestABundleIsAllOfItsFilesInTheirOrder(t *testing.T) {
	for _, tt := range []struct{ name, kind, pattern, begins string }{
		{Styles, "text/css; charset=utf-8", "css/*.css", "@layer tokens, base, layout, components, pages;"},
		{Scripts, "text/javascript; charset=utf-8", "js/*.js", "var htmx="},
	} {
		res := get("GET", URL(tt.name))
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != tt.kind {
			t.Fatalf("%s: status %d, %v, %v", tt.name, res.StatusCode, res.Header, err)
		}
		there, err := fs.Glob(files, tt.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range there {
			if !slices.Contains(bundles[tt.name], name) {
				t.Errorf("%s is in no bundle", name)
			}
		}
		rest := string(text)
		for _, name := range bundles[tt.name] {
			var found bool
			if rest, found = strings.CutPrefix(rest, string(embedded(name))+"\n"); !found {
				t.Errorf("%s is not where it has to be", name)
			}
		}
		if rest != "" || !strings.Contains(string(text[:400]), tt.begins) {
			t.Errorf("%s begins with %.100q and ends with %.100q", tt.name, text, rest)
		}
		packed := httptest.NewRequest("GET", URL(tt.name), nil)
		packed.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, packed)
		if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > len(text)/2 {
			t.Errorf("packed it has %d of %d bytes", w.Body.Len(), len(text))
		}
	}
}

// Pages name files by static.URL("..."): a misspelt one would only be seen in
// a browser.
func TestEveryFileThatAPageNamesIsHere(t *testing.T) {
	call := regexp.MustCompile(`static\.URL\("([^"]*)"\)`)
	err := filepath.WalkDir("../views", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".templ" && filepath.Ext(name) != ".go" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, match := range call.FindAllSubmatch(text, -1) {
			if _, err := fs.Stat(files, string(match[1])); err != nil {
				t.Errorf("%s names %s: %v", name, match[1], err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
