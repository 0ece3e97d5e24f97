//go:build !linux

package monitor

import "net/netip"

// listListening returns false: there is no list.
func listListening(map[int]listener) bool { return false }

// listenerAt returns false: nobody says.
func listenerAt(netip.AddrPort) (listener, bool) { return listener{}, false }
