package model

import (
	"time"

	"tend/services"
)

// useSpan is how far back the pictures of the overview go.
const useSpan = 10 * time.Minute

// Use is what a server uses now, with a picture of the last minutes.
type Use struct {
	ID          string
	Rev         string
	CPU, Memory Spark
}

// UseOf makes the view of the samples of a server, the oldest first.
func UseOf(id string, samples []services.Sample, now time.Time) Use {
	out := Use{ID: id}
	if n := len(samples); n > 0 {
		out.Rev = utoa(uint64(samples[n-1].At.UnixMilli()))
	}
	from := now.Add(-useSpan)
	out.CPU, out.Memory = NewSpark(samples, MeasureCPU, from, now), NewSpark(samples, MeasureMemory, from, now)
	return out
}
