//go:build linux

// Command tiny is ../testdata/tiny.c in Go, for machines without a C compiler.
// What it takes and what it rings is described there.
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const lineLength = 120

var born = now()

func now() int64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) //nolint:errcheck // this clock always answers
	return t.Nano()
}

// server is one tiny server.
type server struct {
	bell *os.File
	args []string
}

func main() {
	if len(os.Args) < 4 {
		os.Exit(64)
	}
	// Not os.OpenFile, which waits for a reader through the poller.
	fd, err := unix.Open(os.Args[2], unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		os.Exit(66)
	}
	s := server{os.NewFile(uintptr(fd), "bell"), os.Args[4:]}
	switch os.Args[1] {
	case "port", "leftover":
		s.listen(os.Args[1] == "leftover")
	case "tree":
		s.ring("born", born, 0)
		s.again("twig-child")
		s.again("twig-between").Wait() //nolint:errcheck // the grandchild speaks for itself
	case "twig-child":
		s.ring("child", born, 0)
	case "twig-between":
		s.again("twig-grandchild")
		return
	case "twig-grandchild":
		s.ring("grandchild", born, 0)
	case "write":
		s.write()
	case "stamp":
		s.ring("born", born, 0)
	case "hold":
	default:
		os.Exit(64)
	}
	live()
}

func (s server) ring(kind string, from, to int64) {
	if _, err := fmt.Fprintf(s.bell, "%s %s %d %d %d\n", kind, os.Args[3], os.Getpid(), from, to); err != nil {
		os.Exit(3)
	}
}

// live returns never. A channel that nobody sends to would be a deadlock.
func live() {
	for {
		syscall.Pause() //nolint:errcheck // it always ends with EINTR
	}
}

// again starts this program in another role, the middle one in a session of
// its own.
func (s server) again(role string, files ...*os.File) *os.Process {
	argv := append([]string{os.Args[0], role}, os.Args[2:]...)
	p, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Files: append([]*os.File{nil, os.Stdout, os.Stderr}, files...),
		Sys:   &syscall.SysProcAttr{Setsid: role == "twig-between"},
	})
	if err != nil {
		os.Exit(70)
	}
	return p
}

func (s server) listen(leaveBehind bool) {
	l, err := net.Listen("tcp", "127.0.0.1:"+s.args[0])
	if err != nil {
		s.ring("taken", born, 0)
		os.Exit(1)
	}
	if leaveBehind {
		file, err := l.(*net.TCPListener).File()
		if err != nil {
			os.Exit(70)
		}
		s.again("hold", file)
		s.ring("born", born, 0)
		return
	}
	s.ring("born", born, 0)
	for {
		if c, err := l.Accept(); err == nil {
			c.Close() //nolint:errcheck // that it was accepted is all
		}
	}
}

func (s server) write() {
	var n [3]int64
	for i := range n {
		n[i], _ = strconv.ParseInt(s.args[i], 10, 64)
	}
	lines, batch, rate := n[0], n[1], n[2]
	wake := make(chan os.Signal, 1)
	signal.Notify(wake, syscall.SIGUSR1)
	s.ring("born", born, 0)
	<-wake
	buf := bytes.Repeat([]byte("n0000000000 "+string(bytes.Repeat([]byte("x"), lineLength-13))+"\n"), int(batch))
	from := now()
	for done := int64(0); done < lines; done += batch {
		count := min(batch, lines-done)
		for i := range count {
			number(buf[i*lineLength+1:i*lineLength+11], done+i)
		}
		if _, err := syscall.Write(1, buf[:count*lineLength]); err != nil {
			s.ring("broken", from, now())
			os.Exit(2)
		}
		if rate > 0 {
			due := from + int64(float64((done+count)*lineLength)/float64(rate)*1e9)
			time.Sleep(time.Duration(due - now()))
		}
	}
	s.ring("written", from, now())
}

func number(digits []byte, n int64) {
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i], n = byte('0'+n%10), n/10
	}
}
