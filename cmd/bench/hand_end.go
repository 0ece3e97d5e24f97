//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// handEnd starts COUNT tiny servers with children and grandchildren: COUNT
// TINY BELL. Then it reads all their pids as one line, ends those processes,
// and writes how many nanoseconds that took until the last one was reaped.
func handEnd(args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), null.Fd()}}
	for i := range count {
		if _, _, err := syscall.StartProcess(args[1], []string{args[1], "tree", args[2], strconv.Itoa(i)}, attr); err != nil {
			return err
		}
	}
	line, err := bufio.NewReaderSize(os.Stdin, 64<<10).ReadString('\n')
	if err != nil {
		return err
	}
	pids, err := numbers(strings.Fields(line))
	if err != nil {
		return err
	}
	from := now()
	for _, pid := range pids {
		syscall.Kill(pid, syscall.SIGTERM) //nolint:errcheck // the count will tell
	}
	for err == nil || err == syscall.EINTR { // until there is no child any more
		_, err = syscall.Wait4(-1, nil, 0, nil)
	}
	if err != syscall.ECHILD {
		return err
	}
	_, err = fmt.Println(now() - from)
	return err
}
