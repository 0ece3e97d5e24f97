package canned

import (
	"fmt"
	"time"

	"tend/services"
)

// Graphs are the names of the graphs that Graph knows.
var Graphs = []string{"six", "deep", "wide", "parts", "untied", "none"}

// Graph returns servers that depend on each other in a certain way, as of now.
func Graph(name string, now time.Time) []services.Status {
	switch name {
	case "six":
		return six()
	case "deep":
		return deep(40)
	case "wide":
		return wide(60)
	case "parts":
		return Servers(now)
	case "untied":
		return tied(map[string][]string{}, "web", "worker", "mailer")
	}
	return nil
}

func six() []services.Status {
	list := tied(map[string][]string{
		"migrate": {"postgres"}, "api": {"postgres", "redis", "migrate"}, "worker": {"redis", "migrate"}, "web": {"api"},
	}, "postgres", "redis", "migrate", "api", "worker", "web")
	for i, phase := range []services.Phase{services.Running, services.Running, services.Exited, services.Running, services.BackOff, services.Starting} {
		list[i].Phase = phase
	}
	list[0].Port, list[1].Port, list[3].Port, list[5].Port = 5432, 6379, 8080, 3000
	list[1].Healthy = ptr(false)
	list[2].Type, list[2].Exit = services.Task, &services.Exit{Seen: true}
	list[3].Until = services.Conditions{"migrate": services.UntilCompleted}
	list[4].Until = services.Conditions{"migrate": services.UntilCompleted, "redis": services.UntilStarted}
	return list
}

// deep is a chain that has everything it needs at its beginning, too.
func deep(n int) []services.Status {
	ties := map[string][]string{}
	var names []string
	for i := range n {
		name := fmt.Sprintf("stage-%02d", i+1)
		if i > 0 {
			ties[name] = []string{names[i-1]}
		}
		if i > 1 && i%3 == 0 {
			ties[name] = append(ties[name], names[0])
		}
		names = append(names, name)
	}
	list := tied(ties, names...)
	for i := range list {
		list[i].Phase = services.Running
	}
	list[n-2].Phase, list[n-1].Phase = services.Failed, services.Waiting
	return list
}

// wide is a few that everybody needs, many in the middle, and many alone.
func wide(n int) []services.Status {
	ties := map[string][]string{"gateway": nil}
	names := []string{"postgres", "redis", "queue"}
	for i := range n {
		name := fmt.Sprintf("service-%02d", i+1)
		names = append(names, name)
		switch {
		case i%4 == 3:
			continue // alone
		case i%5 == 0:
			ties[name] = []string{"postgres", "queue"}
		default:
			ties[name] = []string{names[i%3]}
		}
		if i%8 == 0 {
			ties["gateway"] = append(ties["gateway"], name)
		}
	}
	list := tied(ties, append(names, "gateway", "a-server-with-a-name-that-is-much-longer-than-usual-names-are")...)
	for i := range list {
		list[i].Phase = services.Phases[i%len(services.Phases)]
	}
	return list
}

// tied returns stopped servers with what each of them needs.
func tied(needs map[string][]string, names ...string) []services.Status {
	out := make([]services.Status, len(names))
	for i, name := range names {
		out[i] = services.Status{ID: name, Name: name, DependsOn: append([]string{}, needs[name]...), NeededBy: []string{}, Phase: services.Stopped, Want: services.Down, Rev: 1}
	}
	return out
}
