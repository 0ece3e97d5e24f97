// Package static holds what the browser loads beside the pages: style sheets,
// scripts and the vendored htmx, embedded into the program. It imports nothing
// of ours.
//
// Every URL carries a hash of all the files together, so that whatever is
// under it may be kept for ever, and a relative reference from one file to
// another stays within the same version.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed all:css all:js vendor
var files embed.FS

// Prefix is where Handler has to be mounted.
const Prefix = "/static/"

// What a page loads comes in as few files as can be: each would be one more
// answer to wait for before anything is painted, or before the page answers.
const (
	Styles  = "css/all.css" // all style sheets
	Scripts = "js/all.js"   // all scripts
)

// bundles says what is in those files, in its order.
var bundles = map[string][]string{
	Styles: {
		"css/tokens.css", "css/base.css", "css/layout.css", "css/components.css", "css/charts.css", "css/graph.css",
		"css/pages.css", "css/overview.css", "css/logs.css", "css/access.css", "css/ansi.css",
	},
	Scripts: {
		"vendor/htmx-4.0.1.min.js", "vendor/hx-ws-4.0.1.min.js", "js/theme.js", "js/connection.js", "js/times.js", "js/live.js",
		"js/overview.js", "js/keys.js", "js/log.js", "js/logs.js",
	},
}

// read returns a file that can be asked for.
func read(name string) ([]byte, error) {
	parts, bundled := bundles[name]
	if !bundled {
		return files.ReadFile(name)
	}
	var out bytes.Buffer
	for _, part := range parts {
		content, err := files.ReadFile(part)
		if err != nil {
			return nil, err
		}
		out.Write(content)
		out.WriteByte('\n') // a script may end without one
	}
	return out.Bytes(), nil
}

// names lists all files that can be asked for.
var names = sync.OnceValue(func() []string {
	list := slices.Sorted(maps.Keys(bundles))
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			list = append(list, name)
		}
		return err
	})
	if err != nil {
		panic("list the embedded files: " + err.Error()) // they are part of the program
	}
	return list
})

// embedded reads one of names.
func embedded(name string) []byte {
	content, err := read(name)
	if err != nil {
		panic("read the embedded files: " + err.Error()) // they are part of the program
	}
	return content
}

// hash identifies the content of all files. It is computed once, when the
// first page is rendered.
var hash = sync.OnceValue(func() string {
	sum := sha256.New()
	for _, name := range names() {
		one := sha256.Sum256(embedded(name))
		sum.Write([]byte(name + "\x00"))
		sum.Write(one[:])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
})

// URL returns the address of a file such as "css/tend.css", for use in a page.
func URL(name string) string { return Prefix + hash() + "/" + name }

// types are named here and not taken from the machine, whose table may be
// missing or wrong; with nosniff a wrong type is a page without style.
var types = map[string]string{
	"":       "text/plain; charset=utf-8",
	".txt":   "text/plain; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".svg":   "image/svg+xml",
	".png":   "image/png",
	".ico":   "image/x-icon",
	".woff2": "font/woff2",
}

// Handler serves the files under the addresses that URL returns, and 404 for
// everything else: also for an address of another version, because what it
// once meant is not known here.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "files can only be read", http.StatusMethodNotAllowed)
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, Prefix+hash()+"/")
		kind, known := types[path.Ext(name)]
		content, small := packed()[name]
		small = small && AcceptsGzip(r)
		var err error
		if !small {
			content, err = read(name)
		}
		if !ok || !known || err != nil {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "there is no such file: reload the page", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Vary", "Accept-Encoding")
		if small {
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	})
}

// packed holds the files that pages load, packed as small as can be.
var packed = sync.OnceValue(func() map[string][]byte {
	parts := slices.Concat(slices.Collect(maps.Values(bundles))...)
	out := make(map[string][]byte)
	for _, name := range names() {
		if ext := path.Ext(name); (ext == ".css" || ext == ".js") && !slices.Contains(parts, name) {
			out[name] = pack(embedded(name))
		}
	}
	return out
})

func pack(content []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is one
	}
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err) // memory takes everything
	}
	return out.Bytes()
}

// AcceptsGzip reports whether whoever asks unpacks what is packed.
func AcceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
