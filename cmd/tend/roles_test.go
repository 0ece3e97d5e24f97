package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// be plays one server of a test.
func be(role string, args []string) int {
	switch role {
	case "witness":
		return witness(args[0], args[1])
	case "listener":
		return listener(args[0])
	case "ancestor":
		return ancestor(args[0])
	case "relative":
		return relative(args[0], args[1])
	case "ticker", "notifier":
		return fault(role, args)
	}
	fmt.Fprintln(os.Stderr, "no such role:", role)
	return 64
}

// steadyFile in the directory of witnesses keeps them from failing by themselves.
const steadyFile = "steady"

func mayFail(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, steadyFile))
	return errors.Is(err, fs.ErrNotExist)
}

// witness is a server that keeps its own books in dir, so that a test can tell
// what really happened: a lock that catches a second instance, its pid, each
// line that it wrote, and the code of each exit of its own. It fails by itself
// now and then.
func witness(dir, name string) int {
	at := func(suffix string) string { return filepath.Join(dir, name+suffix) }
	note := func(suffix, text string) {
		f, err := os.OpenFile(at(suffix), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			fmt.Fprintln(f, text)
			f.Close()
		}
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM) // before the lock: who is seen alive notes its end
	pid := os.Getpid()
	lock, err := os.OpenFile(at(".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 65
	}
	defer lock.Close() // nobody else would keep it from the garbage collector, which closes it, and so unlocks
	// A record lock can be asked about without taking it, unlike flock.
	if err := syscall.FcntlFlock(lock.Fd(), syscall.F_SETLK, &syscall.Flock_t{Type: syscall.F_WRLCK}); err != nil {
		note(".double", fmt.Sprintf("pid %d found another instance", pid))
		return 66
	}
	count, err := os.OpenFile(at(".count"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return 67
	}
	tick := time.NewTicker(2 * time.Millisecond)
	for n := 1; ; n++ {
		fmt.Printf("%d %d\n", pid, n)
		// In place, and as long as every other: to replace it would cost the disk.
		count.WriteAt(fmt.Appendf(nil, "%10d %10d\n", pid, n), 0) //nolint:errcheck // then the log is compared with an earlier number
		select {
		case <-term:
			note(".exits", fmt.Sprintf("%d 0", pid))
			return 0
		case <-tick.C:
		}
		if (pid+n)%4000 == 0 && mayFail(dir) { // too often, and all twenty are never up at once
			code := 1 + n%50
			note(".exits", fmt.Sprintf("%d %d", pid, code))
			return code
		}
	}
}

// listener accepts connections until it is told to end.
func listener(address string) int {
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return 1
		}
		conn.Close()
	}
}

// ancestor has a child, one that left the session, one whose parent is gone,
// and one that ignores SIGTERM in a session of its own.
func ancestor(dir string) int {
	start := func(role string, setsid bool, args ...string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], append([]string{"be", "relative", dir, role}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: setsid}
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
		}
		return cmd
	}
	start("child", false)
	start("escaped", true)
	start("stubborn", true)
	start("between", true).Wait()
	return idle()
}

// relative is one process of the ancestor's tree.
func relative(dir, role string) int {
	switch role {
	case "between": // forks and leaves
		cmd := exec.Command(os.Args[0], "be", "relative", dir, "orphaned")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		cmd.Start()
		return 0
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	}
	os.WriteFile(filepath.Join(dir, role+".pid"), []byte(strconv.Itoa(os.Getpid())), 0o600)
	return idle()
}

// idle waits to be ended, though not for ever: a test may forget it.
func idle() int {
	<-time.After(time.Minute)
	return 0
}
