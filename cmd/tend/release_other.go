//go:build !linux

package main

import "runtime/debug"

// release gives back what only the start has needed.
func release() { debug.FreeOSMemory() }
