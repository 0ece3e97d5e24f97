package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// To start everything takes more memory than to look after it, history takes
// the first burst down a little later, and somebody may open the page of all
// servers. After that, what somebody has looked at for a while is given back as
// often as the garbage collector runs anyway.
var releases = []time.Duration{3 * time.Second, 3 * time.Second, 6 * time.Second, 8 * time.Second, 2 * time.Minute}

// The pages of the program are given back more often: what is used again is
// mapped again in a millisecond, with 15 neighbours each that are not.
const unmapping = 5 * time.Second

// Nobody profiles a manager: the table that samples of its heap would fill takes
// a megabyte and a half.
func init() { runtime.MemProfileRate = 0 }

// thrift keeps the memory small that a manager takes: it is what people judge
// one by, and it has processor time to spare. Only while a thousand servers
// start the garbage collector waits, which would take a fifth of the time.
// Who sets GOGC decides about the collector. stop ends all that.
func thrift() (stop func()) {
	patient := os.Getenv("GOGC") == ""
	if patient {
		debug.SetGCPercent(400)
	}
	var ended sync.WaitGroup
	end := make(chan struct{})
	ended.Go(func() {
		timer, pages := time.NewTimer(releases[0]), time.NewTicker(unmapping)
		defer timer.Stop()
		defer pages.Stop()
		for i := 1; ; {
			select {
			case <-timer.C:
				if patient {
					debug.SetGCPercent(20)
				}
				debug.FreeOSMemory()
				timer.Reset(releases[min(i, len(releases)-1)])
				i++
			case <-pages.C:
			case <-end:
				return
			}
			unmapProgram()
		}
	})
	return func() {
		close(end)
		ended.Wait()
	}
}
