package process

import (
	"time"

	"tend/services"
)

// Usage is what the process tree of one run holds now and has used since it
// began. A manager that is a server counts with the servers that it has
// started. What could not be measured is negative: another user's process may
// hide its storage traffic, and other systems than Linux tell nothing.
//
// CPU, Read and Write never go backwards while one Meter reads them. Where the
// kernel does not count for the run as a whole they are complete for processes
// that live, and for dead ones as far as a living member of the tree has waited
// for them or a reading saw them.
type Usage struct {
	Server  string
	Run     string // its id
	Started time.Time

	CPU         time.Duration // of all cores together
	Memory      services.Amount
	MemoryKind  services.MemoryKind
	Read, Write services.Amount // bytes from and to storage, not what caches serve

	Processes services.Amount // without zombies
	Threads   services.Amount
	Files     services.Amount // open descriptors
}

// unmeasured is the usage of a run of which nothing is known.
func unmeasured(run services.Run) Usage {
	return Usage{
		Server: run.Server, Run: run.ID, Started: run.StartedAt,
		CPU: -1, Memory: services.Unknown, Read: services.Unknown, Write: services.Unknown,
		Processes: services.Unknown, Threads: services.Unknown, Files: services.Unknown,
	}
}
