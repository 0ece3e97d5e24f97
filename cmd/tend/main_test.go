package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain makes the test binary play the servers that real managers look
// after: `tend.test be ROLE ...`.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "be" {
		os.Exit(be(os.Args[2], os.Args[3:]))
	}
	dir, err := os.MkdirTemp("", "tend-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "tend")
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// binary is where buildTend puts the program. Written by TestMain alone.
var binary string

// buildTend builds the real program once and returns its path.
func buildTend(t testing.TB) string { return build(t, binary) }

// buildFragile builds, once, a program that dies where it is told to.
func buildFragile(t testing.TB) string {
	return build(t, filepath.Join(filepath.Dir(binary), "fragile", "tend"), "-tags", "failpoints")
}

func build(t testing.TB, path string, flags ...string) string {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return path
	}
	args := append(append([]string{"build"}, flags...), "-o", path, ".")
	if out, err := exec.CommandContext(context.Background(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}
