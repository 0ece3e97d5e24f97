package process

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Prepare makes the program fit to start servers: descriptors that it
// inherited do not reach them, nor do signals that it was told to ignore, and
// processes whose parents end come back to it. Call it once, early in main.
func Prepare() {
	unix.CloseRange(3, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
	unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	ignored, err := strconv.ParseUint(statusOf("self")["SigIgn"], 16, 64)
	if err != nil {
		return
	}
	for n := 1; n <= 64; n++ {
		sig := syscall.Signal(n)
		if ignored&(1<<(n-1)) == 0 || sig == syscall.SIGKILL || sig == syscall.SIGSTOP {
			continue
		}
		if n >= 32 && n <= 34 { // kept by the C library: the runtime does not catch them
			defaultAction(n)
			continue
		}
		// What a handler catches is reset to the default in a child; what is
		// ignored stays so. Nobody reads the channel, so all are dropped.
		signal.Notify(make(chan os.Signal), sig)
	}
}

// defaultAction gives a signal its default action.
func defaultAction(signal int) {
	var action [4]uintptr // handler, flags, restorer, mask: all of them zero
	unix.Syscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
}
