//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

// handStorm is no hand but a server: it tells its manager something new about
// itself so many times a second, and ends when all of it is told:
// EVENTS A-SECOND. A manager that does not keep up makes it wait.
func handStorm(args []string) error {
	list, err := numbers(args)
	if err != nil {
		return err
	}
	count, rate := list[0], list[1]
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: os.Getenv("NOTIFY_SOCKET"), Net: "unixgram"})
	if err != nil {
		return err
	}
	say := func(text string) error {
		_, err := conn.Write([]byte(text))
		return err
	}
	if err := say("READY=1"); err != nil {
		return err
	}
	from := time.Now()
	for i := range count {
		if ahead := time.Duration(i)*time.Second/time.Duration(rate) - time.Since(from); ahead > time.Millisecond {
			time.Sleep(ahead)
		}
		if err := say(fmt.Sprintf("STATUS=%d of %d", i+1, count)); err != nil {
			return err
		}
	}
	return nil
}
