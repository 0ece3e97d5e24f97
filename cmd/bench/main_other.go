//go:build !linux

// Command bench measures tend against the machine's own limits, on Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it reads what only Linux tells; run it there")
	os.Exit(1)
}
