package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// fault plays a server that a test of faults needs. It ends with SIGTERM.
func fault(role string, args []string) int {
	switch role {
	case "ticker":
		return ticker()
	case "notifier":
		return notifier(args[0])
	}
	return idle()
}

// ticker writes a numbered line every few milliseconds. What it cannot write is
// lost, and it goes on.
func ticker() int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	tick := time.NewTicker(5 * time.Millisecond)
	for n := 1; ; n++ {
		fmt.Printf("%d %d\n", os.Getpid(), n)
		select {
		case <-term:
			return 0
		case <-tick.C:
		}
	}
}

// notifier listens on a port, where one is given, and gives signs of life as
// often as its watchdog wants it, by the rule to do that twice in its time.
func notifier(address string) int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if address != "" {
		l, err := net.Listen("tcp", address)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.Close()
			}
		}()
	}
	say := func(text string) {
		conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
		if err != nil {
			return // while no manager lives
		}
		defer conn.Close()
		conn.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		fmt.Fprint(conn, text)
	}
	usec, err := strconv.Atoi(os.Getenv("WATCHDOG_USEC"))
	if err != nil {
		return 64
	}
	say("READY=1")
	tick := time.NewTicker(time.Duration(usec) * time.Microsecond / 2)
	for {
		select {
		case <-term:
			return 0
		case <-tick.C:
			say("WATCHDOG=1")
		}
	}
}
