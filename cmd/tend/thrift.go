package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// To start everything takes more memory than to look after it, history takes
// the first burst down a little later, and somebody may open the page of all
// servers. After that, what somebody has looked at for a while is given back as
// often as the garbage collector runs anyway.
var releases = []time.Duration{3 * time.Second, 3 * time.Second, 6 * time.Second, 8 * time.Second, 2 * time.Minute}

// The pages of the program are given back more often: what is used again is
// mapped again in a millisecond, with 15 neighbours each that are not. While no
// more than fewFaults have mapped anything, it is done more rarely.
const (
	unmapping     = 2 * time.Second
	unmappingMost = 8 * time.Second
	fewFaults     = 100
)

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
		debug.SetGCPercent(200)
	}
	var ended sync.WaitGroup
	end := make(chan struct{})
	ended.Go(func() {
		var room room
		var program program
		timer, pages := time.NewTimer(releases[0]), time.NewTimer(unmapping)
		defer timer.Stop()
		defer pages.Stop()
		for i := 1; ; {
			select {
			case <-timer.C:
				debug.FreeOSMemory()
				timer.Reset(releases[min(i, len(releases)-1)])
				i++
				if patient {
					room.set(leastRoom)
				}
			case <-pages.C:
				room.adapt()
			case <-end:
				return
			}
			pages.Reset(program.unmap())
		}
	})
	return func() {
		close(end)
		ended.Wait()
	}
}

// Between two collections the heap may grow by leastRoom percent, and by up to
// mostRoom where there are more than often between two looks: hundreds of pages
// are open, say. Otherwise they would take a quarter of the time.
const (
	leastRoom = 40
	mostRoom  = 100
	often     = 2
)

// room is how much the heap may grow between two collections.
type room struct {
	percent int // 0 until it is set
	cycles  uint64
}

func (r *room) set(percent int) {
	if percent != r.percent {
		debug.SetGCPercent(percent)
	}
	r.percent = percent
}

// adapt looks how often the collector has run since the last look. It changes
// nothing before set was called: during the start, and for who sets GOGC.
func (r *room) adapt() {
	if r.percent == 0 {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	cycles := sample[0].Value.Uint64()
	switch n := cycles - r.cycles; {
	case r.cycles == 0: // that was the start
	case n > often:
		r.set(min(2*r.percent, mostRoom))
	case n < often:
		r.set(max(r.percent/2, leastRoom))
	}
	r.cycles = cycles
}
