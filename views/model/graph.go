package model

import (
	"maps"
	"slices"

	"tend/services"
)

// Graph is how all servers depend on each other: a drawing of those that do,
// the others beside it, and the same in words.
type Graph struct {
	Rev   string
	Chart Drawing
	Alone []Node // who needs nobody and is needed by nobody
	Rows  []Ties // all servers, in the order of the configuration
}

// Empty reports whether there is no server at all.
func (g Graph) Empty() bool { return len(g.Rows) == 0 }

// Node is one server of the graph. It does not depend on where it stands, so
// that it can be pushed alone.
type Node struct {
	ID, Name, URL string
	Rev           string
	Label         string // the name, as short as the box is
	State         Sign
	Port          string
	Text          string // everything in words
}

// Ties is a server and its neighbours, in words.
type Ties struct {
	Node
	Needs, NeededBy []Tie
}

// Tie is one neighbour.
type Tie struct {
	Name, URL string // no URL for who is not in the list
	Until     string // what the dependency has to have reached, "" for the usual
}

// labelRunes is how much of a name a box has room for.
const labelRunes = 24

// NodeOf returns a server as a node.
func NodeOf(s *services.Status) Node {
	out := Node{ID: s.ID, Name: s.Name, URL: "/servers/" + s.ID, Rev: utoa(s.Rev), Label: shortName(s.Name, labelRunes), State: StateOf(s), Port: number(s.Port)}
	out.Text = s.Name + " " + out.State.Word
	if out.Port != "" {
		out.Text += " :" + out.Port
	}
	for i, name := range s.DependsOn {
		if i == 0 {
			out.Text += ", needs "
		} else {
			out.Text += ", "
		}
		out.Text += name
		if until := condition(s.Until[name]); until != "" {
			out.Text += " (" + until + ")"
		}
	}
	return out
}

// shortName cuts the middle out of what is too long: names that belong together
// begin alike and differ at the end.
func shortName(name string, most int) string {
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	head := most / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(most-head-1):])
}

// TiesOf returns a server with its neighbours. neededBy are the names of those
// that depend on it; known reports who is in the list.
func TiesOf(s *services.Status, neededBy []string, known func(string) bool) Ties {
	out := Ties{Node: NodeOf(s)}
	tie := func(name string, until services.Condition) Tie {
		t := Tie{Name: name, Until: condition(until)}
		if known(name) {
			t.URL = "/servers/" + name
		}
		return t
	}
	for _, name := range s.DependsOn {
		out.Needs = append(out.Needs, tie(name, s.Until[name]))
	}
	for _, name := range neededBy {
		out.NeededBy = append(out.NeededBy, tie(name, ""))
	}
	return out
}

// condition is the word for what a dependency has to have reached, "" for the
// usual.
func condition(until services.Condition) string {
	if until == services.UntilReady {
		return ""
	}
	return string(until)
}

// GraphOf returns the graph of servers in the order of the configuration. rev
// is the position in the stream of changes that it belongs to.
func GraphOf(list []*services.Status, rev uint64) Graph {
	out := Graph{Rev: utoa(rev)}
	needed := NeededBy(list)
	known := func(name string) bool { _, in := needed[name]; return in }
	index := make(map[string]int, len(list)) // among those that are drawn
	var drawn []Node
	for _, s := range list {
		ties := TiesOf(s, needed[s.ID], known)
		out.Rows = append(out.Rows, ties)
		if linked(s, needed) {
			index[s.ID] = len(drawn)
			drawn = append(drawn, ties.Node)
		} else {
			out.Alone = append(out.Alone, ties.Node)
		}
	}
	var edges []edge
	for _, s := range list {
		for _, name := range s.DependsOn {
			if from, in := index[name]; in && name != s.ID {
				edges = append(edges, edge{from: from, to: index[s.ID], label: condition(s.Until[name])})
			}
		}
	}
	out.Chart = draw(drawn, edges)
	return out
}

// NeededBy returns who depends on each server of a list, in its order. Every
// server of the list is a key.
func NeededBy(list []*services.Status) map[string][]string {
	out := make(map[string][]string, len(list))
	for _, s := range list {
		out[s.ID] = nil
	}
	for _, s := range list {
		for _, name := range s.DependsOn {
			users, in := out[name]
			if twice := len(users) > 0 && users[len(users)-1] == s.ID; in && !twice {
				out[name] = append(users, s.ID)
			}
		}
	}
	return out
}

// Linked returns which servers of a list are drawn, because they depend on
// another one of it or another one depends on them. needed is NeededBy of the
// list.
func Linked(list []*services.Status, needed map[string][]string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, s := range list {
		out[s.ID] = linked(s, needed)
	}
	return out
}

func linked(s *services.Status, needed map[string][]string) bool {
	other := func(name string) bool { return name != s.ID }
	return slices.ContainsFunc(needed[s.ID], other) || slices.ContainsFunc(s.DependsOn, func(name string) bool {
		_, in := needed[name]
		return in && other(name)
	})
}

// SameTies reports whether two statuses of a server are drawn with the same
// edges.
func SameTies(a, b *services.Status) bool {
	return slices.Equal(a.DependsOn, b.DependsOn) && maps.Equal(a.Until, b.Until)
}
