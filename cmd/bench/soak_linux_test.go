package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestAShortSoakFindsNothing is what `make soak` does for ten minutes. The
// programs are built without the race detector, which takes memory of its own.
func TestAShortSoakFindsNothing(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bench")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(program, "soak", "-for", "12s", "-servers", "40", "-browsers", "10", "-crash", "5s").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
