package main

import (
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// To start everything takes more memory than to look after it, history takes
// the first burst down a little later, and somebody may open the page of all
// servers. After that, what somebody has looked at for a while is given back as
// often as the garbage collector runs anyway.
var releases = []time.Duration{3 * time.Second, 3 * time.Second, 6 * time.Second, 8 * time.Second, 2 * time.Minute}

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
		for i := 0; ; i++ {
			timer := time.NewTimer(releases[min(i, len(releases)-1)])
			select {
			case <-timer.C:
			case <-end:
				timer.Stop()
				return
			}
			if patient {
				debug.SetGCPercent(25)
			}
			release()
		}
	})
	return func() {
		close(end)
		ended.Wait()
	}
}
