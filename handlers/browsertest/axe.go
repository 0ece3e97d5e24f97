package browsertest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The checker of accessibility, as the npm registry has it.
const (
	axeVersion   = "4.14.1"
	axeURL       = "https://registry.npmjs.org/axe-core/-/axe-core-" + axeVersion + ".tgz"
	axeIntegrity = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==" // SHA-512, from the registry
)

// axe returns the script. It is fetched once for each user of a machine.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "tend-tests", "axe-core-"+axeVersion+".tgz")
	archive, err := os.ReadFile(path)
	if err != nil || !intact(archive) {
		if archive, err = fetch(axeURL); err != nil {
			return "", err
		}
		if !intact(archive) {
			return "", fmt.Errorf("%s is not what it was when its checksum was written down", axeURL)
		}
		if err := keep(path, archive); err != nil {
			return "", err
		}
	}
	return unpack(archive, "package/axe.min.js")
})

func intact(archive []byte) bool {
	sum := sha512.Sum512(archive)
	return base64.StdEncoding.EncodeToString(sum[:]) == axeIntegrity
}

func fetch(url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, 10<<20))
}

// keep writes a file whole or not at all: tests of several packages fetch it at
// the same time.
func keep(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "fetched-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

func unpack(archive []byte, name string) (string, error) {
	packed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(packed); ; {
		head, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("find %s: %w", name, err)
		}
		if head.Name == name {
			text, err := io.ReadAll(files)
			return string(text), err
		}
	}
}

// MustBeAccessible fails the test for everything on the page that breaks the
// WCAG 2.2 at level AA, as far as axe-core sees that. Where axe-core cannot be
// had the test is skipped.
func (tab *Tab) MustBeAccessible(t testing.TB, what string) {
	t.Helper()
	script, err := axe()
	if err != nil {
		t.Skip("axe-core cannot be had: ", err)
	}
	if !Eval[bool](tab, `typeof axe === "object"`) {
		Eval[bool](tab, "("+"() => {"+script+"\nreturn true})()")
	}
	Eval[bool](tab, `(document.getAnimations().forEach((a) => { try { a.finish() } catch { a.cancel() } }), true)`) // not in the middle of a fade
	// Rows that are out of sight have the size that they are guessed to have.
	Eval[bool](tab, `(() => { const all = new CSSStyleSheet(); all.replaceSync("* { content-visibility: visible !important; }"); document.adoptedStyleSheets = [all]; return true; })()`)
	found := Eval[string](tab, `axe.run({ resultTypes: ["violations"], rules: { "target-size": { enabled: true } } }).then(({ violations }) =>
		violations.map((v) => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map((n) => "    " + n.html.slice(0, 160) + "\n      " + n.failureSummary.replace(/\s+/g, " ").slice(0, 300)).join("\n")).join("\n"))`)
	if found = strings.TrimSpace(found); found != "" {
		t.Errorf("%s:\n%s", what, found)
	}
}
