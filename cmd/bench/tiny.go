//go:build linux

package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed testdata/tiny.c
var tinySource []byte

// tiny is the program that all measured servers are.
type tiny struct {
	path string
	kind string // how it was made
}

// makeTiny compiles it from C, statically where that is possible, otherwise
// from Go.
func makeTiny(ctx context.Context, n *nursery, dir string) (tiny, error) {
	path := filepath.Join(dir, "tiny")
	source := path + ".c"
	if err := os.WriteFile(source, tinySource, 0o600); err != nil {
		return tiny{}, err
	}
	if cc, err := exec.LookPath("cc"); err == nil {
		for _, kind := range []string{"-static", "-O2"} {
			if n.do(ctx, cc, "-O2", kind, "-o", path, source) == nil {
				return tiny{path, "C " + map[string]string{"-static": "static", "-O2": "dynamic"}[kind]}, nil
			}
		}
	}
	if ctx.Err() != nil {
		return tiny{}, ctx.Err()
	}
	return tiny{path, "Go (no working cc)"}, n.do(ctx, "go", "build", "-trimpath", "-o", path, "tend/cmd/bench/tiny")
}

// argv is the command of a tiny server.
func (t tiny) argv(role string, b *bell, tag string, more ...any) []string {
	out := []string{t.path, role, b.path, tag}
	for _, m := range more {
		out = append(out, fmt.Sprint(m))
	}
	return out
}
