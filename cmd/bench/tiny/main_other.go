//go:build !linux

// Command tiny is a server to measure with, on Linux.
package main

import "os"

func main() { os.Exit(64) }
