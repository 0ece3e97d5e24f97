//go:build linux

package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// handDial connects to every port once in so many milliseconds, all in a row:
// MILLISECONDS PORT...
func handDial(args []string) error {
	list, err := numbers(args)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Duration(list[0]) * time.Millisecond)
	for {
		for _, port := range list[1:] {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) //nolint:errcheck // it is polite only
			err = unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
			unix.Close(fd) //nolint:errcheck // nothing was written
			if err != nil {
				return fmt.Errorf("port %d: %w", port, err)
			}
		}
		<-tick.C
	}
}
