// Command tend starts, watches and stops the long-running servers of one
// machine. `tend help` lists what it can do.
package main

import (
	"context"
	"os"
	"runtime"

	"tend/services/process"
)

// The main thread reaps the processes that come back to the manager, which
// only works on a thread that forks nothing itself. LockOSThread binds it only
// when it is called here.
func init() { runtime.LockOSThread() }

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	code := make(chan int, 1)
	go func() {
		defer cancel()
		code <- run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	}()
	process.ReapForever(ctx)
	os.Exit(<-code)
}
