//go:build failpoints

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// variable names the point at which the process is to die, and with @N that it
// is to be the N-th time: "record-renamed@3".
const variable = "TEND_FAILPOINT"

// left is how many more times the point may be passed. It is package state
// because the points stand in code that knows nothing of each other.
var chosen, left = choose(os.Getenv(variable))

func choose(text string) (string, *atomic.Int64) {
	name, count, _ := strings.Cut(text, "@")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	left := new(atomic.Int64)
	left.Store(n)
	return name, left
}

// At ends the process by SIGKILL if this is the point that was chosen, and does
// not return then: nothing may happen after it.
func At(name string) {
	if name != chosen || left.Add(-1) != 0 {
		return
	}
	syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}
