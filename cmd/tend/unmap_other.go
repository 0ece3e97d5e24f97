//go:build !linux

package main

// unmapProgram does nothing: there is no such call.
func unmapProgram() {}
