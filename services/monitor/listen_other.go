//go:build !linux

package monitor

import "net/netip"

// listListening returns false: there is no list.
func listListening(map[int]*listener) bool { return false }

// endpoint is one socket of this machine.
type endpoint struct {
	inode   uint32
	waiting int
}

func (endpoint) listens() bool { return false }
func (endpoint) waits() bool   { return false }

// socketAt returns false: nobody says.
func socketAt(netip.AddrPort, netip.AddrPort) (*endpoint, bool) { return nil, false }
