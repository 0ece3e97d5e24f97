package config

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"tend/services"
)

// check looks for what only shows when all servers are known.
func (d *decoder) check(drafts []*draft, listen string, listenAt place) {
	byName := make(map[string]*draft, len(drafts))
	names := make([]string, 0, len(drafts))
	for _, s := range drafts {
		byName[s.Name] = s
		names = append(names, s.Name)
	}
	for _, s := range drafts {
		d.resolve(s, byName, names)
	}
	for _, s := range drafts {
		d.conditions(s, byName)
	}
	d.cycles(drafts, byName)
	d.ports(drafts, listen, listenAt)
}

// resolve fills DependsOn with the dependencies that exist.
func (d *decoder) resolve(s *draft, byName map[string]*draft, names []string) {
	label := s.Name + ": depends_on"
	seen := make(map[string]bool, len(s.depends))
	for i := range s.depends {
		dep := &s.depends[i]
		switch {
		case dep.Name == s.Name && dep.inherited: // defaults are for the others
		case dep.Name == s.Name:
			d.add(dep.at, label, "names %s itself: remove it", s.Name)
		case seen[dep.Name]:
			d.add(dep.at, label, "names %s twice: remove one of the two", dep.Name)
		case byName[dep.Name] != nil:
			if !dep.until && byName[dep.Name].Type == services.Task {
				dep.Until = services.UntilCompleted // what a task is waited for
			}
			s.DependsOn = append(s.DependsOn, dep.Dependency)
			seen[dep.Name] = true
		default:
			hint := "add it below servers:, or remove it here"
			if d.full() {
				hint = "" // no longer heard, and the search is long
			} else if near := nearest(dep.Name, names); near != "" {
				hint = "did you mean " + near + "?"
			}
			d.add(dep.at, label, "names %s, which is no server of this file: %s", quoteCut(dep.Name, `"`), hint)
		}
	}
}

// conditions reports what a dependency can never reach.
func (d *decoder) conditions(s *draft, byName map[string]*draft) {
	for _, dep := range s.depends {
		other := byName[dep.Name]
		label := s.Name + ": depends_on." + dep.Name
		switch {
		case other == nil || other == s: // reported, or for the others
		case dep.Until == services.UntilCompleted && other.Type != services.Task:
			d.add(dep.at, label+".until", "is completed, but %s is no task and never completes: write ready, or add type: task to %s", dep.Name, dep.Name)
		case dep.Until == services.UntilReady && other.Type == services.Task && other.Ready == nil && other.Port == 0:
			d.add(dep.at, label+".until", "is ready, but %s is a task, and nothing checks whether it is ready: write completed, or started", dep.Name)
		case dep.Until == services.UntilCompleted && dep.WhenLost != services.LostNothing:
			d.add(dep.at, label+".when_lost", "is %s, but a task that has completed cannot be lost: remove it", dep.WhenLost)
		}
	}
}

// cycles reports each way that leads back to its beginning, once.
func (d *decoder) cycles(drafts []*draft, byName map[string]*draft) {
	const onPath, done = 1, 2
	state := make(map[string]int, len(drafts))
	var path []string
	var visit func(s *draft)
	visit = func(s *draft) {
		state[s.Name] = onPath
		path = append(path, s.Name)
		for _, name := range s.Needs() {
			switch state[name] {
			case onPath:
				loop := append(slices.Clone(path[slices.Index(path, name):]), name)
				i := slices.IndexFunc(s.depends, func(dep dependency) bool { return dep.Name == name })
				d.add(s.depends[i].at, s.Name+": depends_on", "closes a circle in which nobody can start first: %s; remove one of these", strings.Join(loop, " -> "))
			case done:
			default:
				visit(byName[name])
			}
		}
		path = path[:len(path)-1]
		state[s.Name] = done
	}
	for _, s := range drafts {
		if state[s.Name] != done {
			visit(s)
		}
	}
}

// ports reports whoever wants a port that an earlier one has.
func (d *decoder) ports(drafts []*draft, listen string, listenAt place) {
	owner := make(map[int]string, len(drafts))
	if _, port, err := net.SplitHostPort(listen); err == nil {
		if p, err := strconv.Atoi(port); err == nil && p != 0 {
			owner[p] = "the dashboard (listen: " + listen + ")"
		}
	}
	for _, s := range drafts {
		if s.Port == 0 {
			continue
		}
		if other, taken := owner[s.Port]; taken {
			d.add(s.portAt, s.Name+": port", "%d is already the port of %s: only one can listen on it, so change one of the two", s.Port, other)
			continue
		}
		owner[s.Port] = s.Name
	}
}
