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
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed all:css all:js vendor
var files embed.FS

// Prefix is where Handler has to be mounted.
const Prefix = "/static/"

// Styles is the file that all style sheets are in.
const Styles = "css/all.css"

// sheets are the style sheets, in their order. A page loads them as one: each
// by itself would be one more answer to wait for before anything is painted.
var sheets = []string{"tokens", "base", "layout", "components", "charts", "graph", "pages", "overview", "logs", "access", "ansi"}

// styles is what Styles holds.
var styles = sync.OnceValue(func() []byte {
	var out bytes.Buffer
	for _, name := range sheets {
		content, err := files.ReadFile("css/" + name + ".css")
		if err != nil {
			panic("read the embedded files: " + err.Error()) // they are part of the program
		}
		out.Write(content)
	}
	return out.Bytes()
})

// read returns a file that can be asked for.
func read(name string) ([]byte, error) {
	if name == Styles {
		return styles(), nil
	}
	return files.ReadFile(name)
}

// hash identifies the content of all files. It is computed once, when the
// first page is rendered.
var hash = sync.OnceValue(func() string {
	sum := sha256.New()
	sum.Write(styles()) // their order is in no file
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		one := sha256.Sum256(content)
		sum.Write([]byte(name + "\x00"))
		sum.Write(one[:])
		return nil
	})
	if err != nil {
		panic("read the embedded files: " + err.Error()) // they are part of the program
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
		content, err := read(name)
		if !ok || !known || err != nil {
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "there is no such file: reload the page", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Vary", "Accept-Encoding")
		if small := packed()[name]; small != nil && AcceptsGzip(r) {
			w.Header().Set("Content-Encoding", "gzip")
			content = small
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
	})
}

// packed holds the files that are worth it, packed as small as can be.
var packed = sync.OnceValue(func() map[string][]byte {
	out := make(map[string][]byte)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if ext := path.Ext(name); err != nil || entry.IsDir() || ext != ".css" && ext != ".js" {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		out[name], err = pack(content)
		return err
	})
	if err == nil {
		out[Styles], err = pack(styles())
	}
	if err != nil {
		panic("pack the embedded files: " + err.Error()) // they are part of the program
	}
	return out
})

func pack(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(content)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
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
