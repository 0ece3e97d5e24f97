//go:build !linux

package monitor

import "testing"

func countSockets(t *testing.T, _ int) int {
	t.Helper()
	t.Skip("there is no list of sockets")
	return 0
}
