package main

import (
	"testing"

	"tend/services"
)

func TestTheMemoryOfAServerIsShownWithWhatItCounts(t *testing.T) {
	sample := &services.Sample{CPU: 12, Memory: 5_000_000, Processes: 2, Threads: services.Unknown, Files: services.Unknown, Read: services.Unknown, Write: services.Unknown}
	for kind, want := range map[services.MemoryKind]string{
		services.MemoryRSS: "12 % of a core, 5.0 MB (RSS), 2 processes", services.MemoryCgroup: "12 % of a core, 5.0 MB (of its cgroup), 2 processes", "": "12 % of a core, 5.0 MB, 2 processes",
	} {
		if got := uses(services.Status{Usage: sample, MemoryKind: kind}); got != want {
			t.Errorf("%q: said %q, want %q", kind, got, want)
		}
	}
}
