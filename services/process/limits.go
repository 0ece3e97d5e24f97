package process

import (
	"fmt"
	"strings"

	"tend/services"
)

// within lets a shell set what only the process itself can set in time, and
// then become the program: the umask and the limit of open files, the nice
// value and, where no cgroup bounds the memory, that of its data.
func within(s services.Server, grouped limited, program string, argv []string) (string, []string) {
	var script string
	if s.Umask >= 0 {
		script = fmt.Sprintf("umask %03o && ", s.Umask)
	}
	if s.Limits.NoFile > 0 {
		script += fmt.Sprintf("ulimit -n %d && ", s.Limits.NoFile)
	}
	if s.Limits.Memory > 0 && !grouped.memory {
		script += fmt.Sprintf("ulimit -d %d && ", max(s.Limits.Memory>>10, 1))
	}
	run := `exec "$@"`
	if s.Limits.Nice != 0 {
		run = fmt.Sprintf(`exec nice -n %d "$@"`, s.Limits.Nice)
	} else if script == "" {
		return program, argv
	}
	return "/bin/sh", append([]string{"sh", "-c", script + run, "sh", program}, argv[1:]...)
}

// limited says which limits a cgroup puts in force.
type limited struct{ memory, cpu, pids bool }

// inForce says in words which limits of a server hold, and by what.
func inForce(l services.Limits, grouped limited) string {
	var words []string
	add := func(set bool, text string) {
		if set {
			words = append(words, text)
		}
	}
	memory := fmt.Sprintf("memory %s of the tree by cgroup", size(l.Memory))
	if !grouped.memory {
		memory = fmt.Sprintf("memory %s of each process by rlimit (data)", size(l.Memory))
	}
	add(l.Memory > 0, memory)
	add(l.CPU > 0 && grouped.cpu, fmt.Sprintf("cpu %g %% by cgroup", l.CPU))
	add(l.CPU > 0 && !grouped.cpu, fmt.Sprintf("cpu %g %% not in force (no cgroup controller)", l.CPU))
	add(l.PIDs > 0 && grouped.pids, fmt.Sprintf("%d processes by cgroup", l.PIDs))
	add(l.PIDs > 0 && !grouped.pids, fmt.Sprintf("%d processes not in force (no cgroup controller)", l.PIDs))
	add(l.NoFile > 0, fmt.Sprintf("%d open files by rlimit", l.NoFile))
	add(l.Nice != 0, fmt.Sprintf("nice %d", l.Nice))
	return strings.Join(words, ", ")
}

func size(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.3g GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%.3g MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.3g kB", float64(bytes)/1e3)
}
