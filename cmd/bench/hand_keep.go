//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// handKeep starts COUNT tiny servers and starts each one again that ends:
// COUNT TINY BELL [DIRECTORY]. Their tags are their numbers. Each writes into a
// file of its own where there is a directory for them.
func handKeep(args []string) error {
	count, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), null.Fd()}}
	tags := make(map[int]string, count)
	start := func(tag string) error {
		if len(args) > 3 {
			out, err := os.OpenFile(filepath.Join(args[3], tag+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
			if err != nil {
				return err
			}
			defer out.Close()
			attr.Files[1], attr.Files[2] = out.Fd(), out.Fd()
		}
		pid, _, err := syscall.StartProcess(args[1], []string{args[1], "stamp", args[2], tag}, attr)
		tags[pid] = tag
		return err
	}
	for i := range count {
		if err := start(strconv.Itoa(i)); err != nil {
			return err
		}
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		tag := tags[pid]
		delete(tags, pid)
		if err := start(tag); err != nil {
			return err
		}
	}
}
