//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// ports gives out ports on the loopback, none twice: first is the next to try.
// They lie below the range out of which the kernel gives connections theirs,
// or else a check of one server would take away the port of another.
type ports struct{ first, low, end int }

func newPorts() *ports {
	p := &ports{end: 32768}
	if text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range"); err == nil {
		fmt.Sscan(strings.TrimSpace(string(text)), &p.end) //nolint:errcheck // then it is the default
	}
	p.low = min(10000, p.end/2)
	p.first = p.low + os.Getpid()%max(1, (p.end-p.low)/2) // two benches side by side seldom meet
	return p
}

// free returns ports that nobody listens on.
func (p *ports) free(count int) (out []int, err error) {
	for tried := 0; len(out) < count; tried++ {
		if tried > p.end-p.low {
			return nil, fmt.Errorf("only %d of %d ports are free between %d and %d", len(out), count, p.low, p.end)
		}
		port := p.first
		if p.first++; p.first >= p.end {
			p.first = p.low
		}
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close() //nolint:errcheck // it was only tried
			out = append(out, port)
		}
	}
	return out, nil
}
