//go:build !linux

package main

import "time"

// program has no pages to give back: there is no such call.
type program struct{}

func (program) unmap() (again time.Duration) { return unmapping }
