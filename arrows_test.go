package tend

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrow says what a package may import: packages of ours (a trailing /... is
// everything below), modules from outside, and which of the watched packages
// of the standard library. Tests may import what their package may, and what
// testsMay adds.
type arrow struct{ ours, modules, watched []string }

const (
	templ      = "github.com/a-h/templ"
	xsys       = "golang.org/x/sys"
	xterm      = "golang.org/x/term"
	argon2     = "golang.org/x/crypto/argon2"
	goyaml     = "github.com/goccy/go-yaml"
	cobra      = "github.com/spf13/cobra"
	pflag      = "github.com/spf13/pflag"
	prometheus = "github.com/prometheus/client_golang"
	cron       = "github.com/netresearch/go-cron"
	mux        = "github.com/gorilla/mux"
	websocket  = "github.com/gorilla/websocket"
	shoutrrr   = "github.com/nicholas-fedor/shoutrrr"
	sqlite     = "modernc.org/sqlite"
)

var arrows = map[string]arrow{
	"": {},
	"cmd/...": {
		ours:    []string{"", "handlers/...", "views/...", "services/...", "static"},
		modules: []string{cobra, pflag, xsys, xterm, websocket},
		watched: []string{"net/http", "os/exec"},
	},
	"cmd/bench": {modules: []string{"github.com/chromedp"}},

	"handlers": {
		ours:    []string{"handlers/api", "handlers/hub", "views/...", "services", "services/access", "services/logs", "static"},
		modules: []string{mux, templ, xsys},
		watched: []string{"net/http"},
	},
	"handlers/api": {
		ours:    []string{"services", "services/access", "services/logs"},
		modules: []string{mux},
		watched: []string{"net/http"},
	},
	"handlers/browsertest": {
		modules: []string{"github.com/chromedp"},
		watched: []string{"testing", "os/exec", "net/http"},
	},
	"handlers/metrics": {ours: []string{"services", "services/access"}, modules: []string{prometheus}, watched: []string{"net/http"}},
	"handlers/hub":     {modules: []string{websocket}, watched: []string{"net/http"}},

	"views/model":    {ours: []string{"services"}},
	"views/partials": {ours: []string{"services", "views/model", "static"}, modules: []string{templ}},
	"views/layout":   {ours: []string{"services", "views/model", "views/partials", "static"}, modules: []string{templ}},
	"views/pages":    {ours: []string{"services", "views/model", "views/partials", "views/layout", "static"}, modules: []string{templ}},

	"views/canned":  {ours: []string{"services"}},
	"views/gallery": {ours: []string{"services", "views/...", "static"}, modules: []string{templ}, watched: []string{"net/http"}},

	"services":             {},
	"services/access":      {ours: []string{"services"}, modules: []string{argon2}},
	"services/failpoint":   {},
	"services/alerts":      {ours: []string{"services"}, modules: []string{shoutrrr}, watched: []string{"net/http"}},
	"services/certs":       {ours: []string{"services"}},
	"services/config":      {ours: []string{"services"}, modules: []string{goyaml, cron}},
	"services/controltest": {ours: []string{"services"}, watched: []string{"testing"}},
	"services/events":      {ours: []string{"services"}},
	"services/history":     {ours: []string{"services"}, modules: []string{sqlite}},
	"services/logs":        {ours: []string{"services"}, modules: []string{xsys}},
	"services/monitor":     {ours: []string{"services"}, modules: []string{xsys}, watched: []string{"net/http", "unsafe"}},
	"services/process":     {ours: []string{"services", "services/failpoint"}, modules: []string{xsys}, watched: []string{"os/exec", "unsafe"}}, // os/exec: for probes, which end soon
	"services/remote":      {ours: []string{"services"}, watched: []string{"net/http"}},
	"services/secrets":     {ours: []string{"services"}, watched: []string{"os/exec"}}, // for commands that tell a value, which end soon
	"services/state":       {ours: []string{"services", "services/failpoint"}, modules: []string{xsys}},
	"services/orchestrator": {
		ours: []string{"services", "services/events", "services/failpoint", "services/logs", "services/monitor", "services/process", "services/state"},
	},

	"static": {watched: []string{"net/http"}},
}

// testsMay is what tests import beyond their package: the conformance suite
// and the real other side of what they test.
var testsMay = map[string]arrow{
	"...":                   {modules: []string{"go.uber.org/goleak"}, watched: []string{"testing", "net/http", "os/exec", "unsafe"}},
	"cmd/...":               {modules: []string{"github.com/chromedp"}},
	"handlers/...":          {ours: []string{"handlers/...", "services/...", "views/..."}, modules: []string{websocket, "github.com/chromedp", goyaml, "golang.org/x/net"}},
	"views/...":             {ours: []string{"views/..."}, modules: []string{"golang.org/x/net"}},
	"views/gallery":         {ours: []string{"handlers/browsertest"}},
	"services/process":      {modules: []string{xsys}},
	"services/remote":       {ours: []string{"handlers/...", "services/..."}},
	"services/orchestrator": {ours: []string{"services/..."}},
	"services/events":       {ours: []string{"services/controltest"}},
}

// watched lists the packages of the standard library that are not for
// everybody, and why.
var watched = map[string]string{
	"C":             "the program is pure Go",
	"html/template": "pages are templ",
	"log":           "the log is slog, injected",
	"net/http":      "only the edges speak HTTP",
	"os/exec":       "its Wait takes a thread for each process",
	"plugin":        "what runs is what was built",
	"testing":       "it belongs into tests",
	"text/template": "pages are templ",
	"unsafe":        "only where the kernel asks for a pointer",
}

func TestImportsFollowTheArrows(t *testing.T) {
	packages := 0
	last := ""
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		dir := path.Dir(filepath.ToSlash(name))
		if dir == "." {
			dir = ""
		}
		if dir != last {
			packages, last = packages+1, dir
		}
		for _, line := range imports(t, name) {
			if why := forbidden(dir, line, strings.HasSuffix(name, "_test.go")); why != "" {
				t.Errorf("%s: %s", name, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if packages < 3 {
		t.Errorf("only %d packages were found: the test looks in the wrong place", packages)
	}
}

func imports(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, spec := range file.Imports {
		line, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}

// forbidden returns why a package may not import a path, "" when it may.
func forbidden(dir, imported string, test bool) string {
	rules := lookup(arrows, dir)
	if len(rules) == 0 {
		return "the package " + dir + " is not in the table of arrows: enter it, with what it may import"
	}
	if test {
		rules = append(rules, lookup(testsMay, dir)...)
	}
	allows := func(list func(arrow) []string, fits func(pattern string) bool) bool {
		return slices.ContainsFunc(rules, func(r arrow) bool { return slices.ContainsFunc(list(r), fits) })
	}
	switch ours, isOurs := strings.CutPrefix(imported+"/", "tend/"); {
	case isOurs:
		ours = strings.TrimSuffix(ours, "/")
		if test && ours == dir || allows(func(r arrow) []string { return r.ours }, func(p string) bool { return matches(p, ours) }) {
			return ""
		}
		return dir + " may not import " + imported + ": this arrow is not in the table"
	case strings.Contains(strings.Split(imported, "/")[0], "."):
		if allows(func(r arrow) []string { return r.modules }, func(p string) bool { return matches(p+"/...", imported) }) {
			return ""
		}
		return dir + " may not depend on " + imported
	}
	why, isWatched := watched[imported]
	if !isWatched || allows(func(r arrow) []string { return r.watched }, func(p string) bool { return p == imported }) {
		return ""
	}
	return dir + " may not import " + imported + ": " + why
}

// lookup returns every rule whose pattern matches a package.
func lookup(table map[string]arrow, dir string) []arrow {
	var out []arrow
	for pattern, rule := range table {
		if matches(pattern, dir) {
			out = append(out, rule)
		}
	}
	return out
}

func matches(pattern, dir string) bool {
	if pattern == "..." {
		return true
	}
	if parent, deep := strings.CutSuffix(pattern, "/..."); deep {
		return dir == parent || strings.HasPrefix(dir, parent+"/")
	}
	return dir == pattern
}

func TestTheTableOfArrowsRefusesWhatItShould(t *testing.T) {
	for _, tt := range []struct {
		dir, imported string
		test, allowed bool
	}{
		{"cmd/tend", "tend/handlers", false, true},
		{"cmd/tend", "tend", false, true},
		{"handlers", "tend/views/pages", false, true},
		{"handlers", "tend/cmd/tend", false, false},
		{"handlers", "tend/services/orchestrator", false, false},
		{"handlers", "tend/services/orchestrator", true, true},
		{"handlers/hub", "tend/services", false, false},
		{"handlers/hub", "github.com/gorilla/websocket", false, true},
		{"handlers", "github.com/gorilla/websocket", false, false},
		{"views/model", "tend/services", false, true},
		{"views/pages", "tend/handlers", false, false},
		{"views/pages", "tend/services/state", false, false},
		{"services", "tend/services/config", false, false},
		{"services", "golang.org/x/sys/unix", false, false},
		{"services", "encoding/json", false, true},
		{"services/state", "tend/services", false, true},
		{"services/state", "tend/services/logs", false, false},
		{"services/history", "modernc.org/sqlite", false, true},
		{"services/state", "modernc.org/sqlite", false, false},
		{"services/orchestrator", "tend/services/process", false, true},
		{"services/orchestrator", "tend/services/config", false, false},
		{"services/logs", "os/exec", false, false},
		{"services/logs", "os/exec", true, true},
		{"services/process", "golang.org/x/sys/unix", false, true},
		{"services/process", "golang.org/x/systems", false, false},
		{"services/config", "github.com/goccy/go-yaml/ast", false, true},
		{"services/logs", "net/http", false, false},
		{"services/events", "log", false, false},
		{"services/events", "log/slog", false, true},
		{"services/remote", "tend/handlers", false, false},
		{"services/remote", "tend/handlers", true, true},
		{"static", "tend/services", false, false},
		{"cmd/tend", "github.com/chromedp/chromedp", false, false},
		{"cmd/tend", "github.com/chromedp/chromedp", true, true},
		{"services/state", "go.uber.org/goleak", false, false},
		{"services/state", "go.uber.org/goleak", true, true},
		{"services/state", "tend/services/state", true, true},
		{"services/new", "tend/services", false, false},
		{"", "tend/services", false, false},
	} {
		why := forbidden(tt.dir, tt.imported, tt.test)
		if (why == "") != tt.allowed {
			t.Errorf("%q imports %q (test: %v): allowed is %v, want %v (%s)", tt.dir, tt.imported, tt.test, why == "", tt.allowed, why)
		}
	}
}
