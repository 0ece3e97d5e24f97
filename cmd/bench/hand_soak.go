//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// handSoak is a server of the soak. It keeps a book in dir: who was born, and
// with which code each one has chosen to crash. It takes connections, writes a
// line a second, floods its log now and then if it is to, and crashes at random
// moments, on the average every so many seconds, until an instant; from then on
// it is quiet.
func handSoak(args []string) error {
	if len(args) != 6 {
		return errors.New("it takes a directory, a name, a port, an instant, seconds and flood or calm")
	}
	n, err := numbers(args[2:5])
	if err != nil {
		return err
	}
	book, err := os.OpenFile(bookOf(args[0], args[1]), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Fprintf(book, "born %d 0\n", os.Getpid())
	port, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(n[0]))
	if err != nil {
		return err
	}
	go func() { // ends with the program
		for {
			conn, err := port.Accept()
			if err != nil {
				return
			}
			conn.Close() //nolint:errcheck // nobody has anything to say
		}
	}()
	calm := time.Until(time.UnixMilli(int64(n[1])))
	crash := time.NewTimer(time.Duration(rand.ExpFloat64() * float64(n[2]) * float64(time.Second)))
	rest := time.NewTimer(max(calm, 0))
	tick := time.NewTicker(time.Second)
	flooding := args[5] == "flood"
	lines := bytes.Repeat([]byte("a line of a flood, as long as such lines usually are, with nothing in it that anybody wants to know\n"), 500)
	for i := 0; ; i++ {
		fmt.Printf("%s is alive, for the %d. second\n", args[1], i)
		for range 100 {
			if flooding && i%20 == 10 { // 5 MB
				os.Stdout.Write(lines) //nolint:errcheck // it is the manager that is tried
			}
		}
		select {
		case <-rest.C:
			crash.Stop()
			flooding = false
		case <-crash.C:
			code := 1 + rand.N(99)
			fmt.Fprintf(book, "crash %d %d\n", os.Getpid(), code)
			os.Exit(code)
		case <-tick.C:
		}
	}
}

func bookOf(dir, name string) string { return filepath.Join(dir, name+".book") }

// died is one crash in a book.
type died struct{ pid, code int }

// readBook returns who was born last, how many were in all, and who crashed, in
// order.
func readBook(dir, name string) (last, born int, crashes []died, err error) {
	text, err := os.ReadFile(bookOf(dir, name))
	if err != nil {
		return 0, 0, nil, err
	}
	for line := range bytes.Lines(text) {
		var what string
		var pid, code int
		if _, err := fmt.Sscan(string(line), &what, &pid, &code); err != nil {
			return 0, 0, nil, fmt.Errorf("the book of %s says %q", name, line)
		}
		if what == "crash" {
			crashes = append(crashes, died{pid, code})
			continue
		}
		last, born = pid, born+1
	}
	return last, born, crashes, nil
}

// soakers returns the pids of the servers that are alive, by name.
func soakers(dir string) map[string][]int {
	out := map[string][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		argv := bytes.Split(text, []byte{0})
		if len(argv) > 4 && string(argv[2]) == "soak" && string(argv[3]) == dir && syscall.Kill(pid, 0) == nil && alive(pid) {
			out[string(argv[4])] = append(out[string(argv[4])], pid)
		}
	}
	return out
}
