package main

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// program is what of it is mapped.
type program struct {
	faults int64 // of the process, so far
	pause  time.Duration
}

// unmap gives back the pages of the program and returns when to do it again.
// The kernel has them still, and maps those again that are used again.
func (p *program) unmap() (again time.Duration) {
	var used unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &used) //nolint:errcheck // it has no other error than a bad argument
	if used.Minflt-p.faults > fewFaults {
		p.pause = 0
	}
	p.faults, p.pause = used.Minflt, min(max(2*p.pause, unmapping), unmappingMost)
	for _, part := range programParts() {
		unix.Syscall(unix.SYS_MADVISE, part.from, part.size, unix.MADV_DONTNEED) //nolint:errcheck // then they stay
	}
	return p.pause
}

// part is where something of the program is mapped.
type part struct{ from, size uintptr }

// programParts are those that are only read. They stay where they are.
var programParts = sync.OnceValue(func() (parts []part) {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[5] != self || strings.Contains(fields[1], "w") {
			continue
		}
		first, last, _ := strings.Cut(fields[0], "-")
		from, err1 := strconv.ParseUint(first, 16, 64)
		to, err2 := strconv.ParseUint(last, 16, 64)
		if err1 == nil && err2 == nil {
			parts = append(parts, part{uintptr(from), uintptr(to - from)})
		}
	}
	return parts
})
