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
func buildTend(t testing.TB) string {
	t.Helper()
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	out, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
