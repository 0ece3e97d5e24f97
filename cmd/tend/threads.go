package main

import (
	"runtime"
	"sync"
)

// spare is how many threads are made beforehand. A manager that looks after a
// thousand servers has about ten.
const spare = 24

// spareThreads makes threads while there is room for them. The runtime of Go
// makes one when all others are busy in system calls, and ends the program
// where the kernel refuses, as it does when a server has used up the processes
// that a systemd unit or a container may have. Threads that have nothing to do
// are kept for ever, at a few kilobytes each.
func spareThreads() {
	var made, over sync.WaitGroup
	enough := make(chan struct{})
	made.Add(spare)
	for range spare {
		over.Go(func() {
			runtime.LockOSThread() // one that waits has its thread for itself
			defer runtime.UnlockOSThread()
			made.Done()
			<-enough
		})
	}
	made.Wait()
	close(enough)
	over.Wait()
}
