package services

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

var signalNames = map[syscall.Signal]string{
	syscall.SIGABRT: "SIGABRT", syscall.SIGALRM: "SIGALRM", syscall.SIGBUS: "SIGBUS",
	syscall.SIGCHLD: "SIGCHLD", syscall.SIGCONT: "SIGCONT", syscall.SIGFPE: "SIGFPE",
	syscall.SIGHUP: "SIGHUP", syscall.SIGILL: "SIGILL", syscall.SIGINT: "SIGINT",
	syscall.SIGKILL: "SIGKILL", syscall.SIGPIPE: "SIGPIPE", syscall.SIGQUIT: "SIGQUIT",
	syscall.SIGSEGV: "SIGSEGV", syscall.SIGSTOP: "SIGSTOP", syscall.SIGSYS: "SIGSYS",
	syscall.SIGTERM: "SIGTERM", syscall.SIGTRAP: "SIGTRAP", syscall.SIGTSTP: "SIGTSTP",
	syscall.SIGTTIN: "SIGTTIN", syscall.SIGTTOU: "SIGTTOU", syscall.SIGURG: "SIGURG",
	syscall.SIGUSR1: "SIGUSR1", syscall.SIGUSR2: "SIGUSR2", syscall.SIGVTALRM: "SIGVTALRM",
	syscall.SIGWINCH: "SIGWINCH", syscall.SIGXCPU: "SIGXCPU", syscall.SIGXFSZ: "SIGXFSZ",
	syscall.SIGPROF: "SIGPROF", syscall.SIGIO: "SIGIO",
}

// SignalName returns the name with its SIG prefix, or the number.
func SignalName(s syscall.Signal) string {
	if name, ok := signalNames[s]; ok {
		return name
	}
	return fmt.Sprintf("signal %d", int(s))
}

// ParseSignal reads TERM, SIGTERM, sigterm, 15 and whatever SignalName writes.
// The error is of kind Invalid.
func ParseSignal(text string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(strings.TrimPrefix(text, "signal ")); err == nil && n > 0 && n <= 64 {
		return syscall.Signal(n), nil
	}
	want := "SIG" + strings.TrimPrefix(strings.ToUpper(text), "SIG")
	for sig, name := range signalNames {
		if name == want {
			return sig, nil
		}
	}
	return 0, Errorf(Invalid, "%q is not a signal: write a name such as TERM or a number from 1 to 64", text)
}
