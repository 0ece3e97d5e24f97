//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
)

// The roles of this program when it does by hand, in the fewest lines, what
// tend does: the limits that it is measured against. None of them ends by
// itself, but for the storm, which is a server; the bench kills them.
var hands = map[string]func(args []string) error{
	"keep":  handKeep,
	"end":   handEnd,
	"dial":  handDial,
	"serve": handServe,
	"storm": handStorm,
	"soak":  handSoak,
}

func hand(role string, args []string) int {
	work := hands[role]
	if work == nil {
		fmt.Fprintln(os.Stderr, "bench: there is no hand for", role)
		return 2
	}
	if err := work(args); err != nil {
		fmt.Fprintf(os.Stderr, "bench: by hand, %s: %v\n", role, err)
		return 1
	}
	return 0
}

// hire starts a hand in a process group of its own, which its servers share.
func (b *bench) hire(files [3]*os.File, role string, args ...any) (*child, error) {
	argv := []string{b.self, "hand", role}
	for _, a := range args {
		argv = append(argv, fmt.Sprint(a))
	}
	if files[2] == nil {
		files[2] = os.Stderr
	}
	return b.nursery.start(command{argv: argv, files: files, group: true})
}

func numbers(args []string) (out []int, err error) {
	for _, arg := range args {
		n, err := strconv.Atoi(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
