package model

import (
	"strings"
	"time"

	"tend/services"
)

// Process is one process of a server.
type Process struct {
	PID, State, CPU, Memory, Threads, Command string
	Branch                                    string // its place in the tree, as lines
	Started                                   Moment
}

// Signals are those that can be sent to one process from the page, by name.
var Signals = []string{"TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "STOP", "CONT", "KILL"}

// ProcessesOf returns the processes of a server as a tree: each after its
// parent, those whose parent is not among them first.
func ProcessesOf(list []services.TreeProcess, now time.Time) []Process {
	children := make(map[int][]services.TreeProcess)
	known := make(map[int]bool, len(list))
	for _, p := range list {
		known[p.PID] = true
	}
	var roots []services.TreeProcess
	for _, p := range list {
		if known[p.Parent] && p.Parent != p.PID {
			children[p.Parent] = append(children[p.Parent], p)
		} else {
			roots = append(roots, p)
		}
	}
	var out []Process
	var add func(p services.TreeProcess, before, own string)
	add = func(p services.TreeProcess, before, own string) {
		out = append(out, processOf(p, before+own, now))
		below := before
		switch own {
		case "├ ":
			below += "│ "
		case "└ ":
			below += "  "
		}
		list := children[p.PID]
		delete(children, p.PID) // a circle, which cannot be, would end here
		for i, child := range list {
			branch := "├ "
			if i == len(list)-1 {
				branch = "└ "
			}
			add(child, below, branch)
		}
	}
	for _, p := range roots {
		add(p, "", "")
	}
	return out
}

func processOf(p services.TreeProcess, branch string, now time.Time) Process {
	out := Process{
		PID: itoa(p.PID), State: p.State, CPU: (time.Duration(p.CPU*100) * 10 * time.Millisecond).String(), Branch: branch,
		Command: strings.ToValidUTF8(p.Command, "�"), Started: Since(p.StartedAt.Time, now), Memory: "–", Threads: "–",
	}
	if p.Memory >= 0 {
		out.Memory = MeasureMemory.Format(float64(p.Memory))
	}
	if p.Threads >= 0 {
		out.Threads = itoa(int(p.Threads))
	}
	return out
}
