package model

import (
	"iter"
	"slices"
	"strconv"

	"tend/services"
)

// Overview is the list of all servers on the screen.
type Overview struct {
	Rev     string
	Find    Find
	Summary Summary
	Groups  []Group
	Rest    []Group // what Split has cut off
	More    string  // how many of the rest are seen
	None    bool    // nothing matches what is looked for
}

// Group is some servers under one heading.
type Group struct {
	ID      string // of its element, "" where it goes on with the last group before
	Key     string // by which it is folded
	Title   string // "" for no heading
	Hint    string
	Count   string
	Folded  bool
	Shown   bool // some of its servers match what is looked for
	servers []*services.Status
	find    *Find
	frame   *Frame
}

// Listed is a server of a list.
type Listed struct {
	Server
	Hidden bool // it does not match what is looked for
}

// Servers yields the servers of the group. What is yielded is good until the
// next one: a page may have a thousand.
func (g Group) Servers() iter.Seq[*Listed] {
	return func(yield func(*Listed) bool) {
		var one Listed
		for _, s := range g.servers {
			one = Listed{Server: ServerOf(s, *g.frame), Hidden: !g.find.Shows(s)}
			if !yield(&one) {
				return
			}
		}
	}
}

// Empty reports whether there is nothing to show.
func (o Overview) Empty() bool { return len(o.Groups) == 0 }

// Split cuts off what follows the first servers that are seen, where it is as
// many again. It may be called once.
func (o *Overview) Split(first int) {
	more := seen(o.Groups) - first
	if more <= first {
		return
	}
	for i := range o.Groups {
		g := &o.Groups[i]
		for j, s := range g.servers {
			if g.sees(s) {
				first--
			}
			if first > 0 {
				continue
			}
			rest := *g
			rest.ID, rest.Title, rest.servers = "", "", g.servers[j+1:]
			g.servers = g.servers[:j+1]
			o.Rest = append([]Group{rest}, o.Groups[i+1:]...)
			o.Groups, o.More = o.Groups[:i+1], itoa(more)
			return
		}
	}
}

// sees reports whether a server of the group matches and is not folded away.
func (g *Group) sees(s *services.Status) bool { return !g.Folded && g.find.Shows(s) }

func seen(groups []Group) (n int) {
	for _, g := range groups {
		for _, s := range g.servers {
			if g.sees(s) {
				n++
			}
		}
	}
	return n
}

// leftKey is the key of the group of those that left the configuration.
const leftKey = "left"

// OverviewOf gathers servers under the headings of their groups, in the order
// in which the groups first appear; those that left the configuration come
// last. Sorted servers stand in one list. rev is the position in the stream of
// changes that the list belongs to.
func OverviewOf(list []*services.Status, find Find, rev uint64, f Frame) Overview {
	out := Overview{Rev: utoa(rev), Find: find, None: true}
	var count Count
	place := make(map[string]int)
	var left []*services.Status
	for _, s := range find.sorted(list) {
		count.Add(s)
		key := "in " + s.Group
		switch {
		case find.Sort != "":
			key = ""
		case unconfigured(s):
			left = append(left, s)
			continue
		}
		i, known := place[key]
		if !known {
			i = len(out.Groups)
			place[key] = i
			g := Group{ID: "group-" + itoa(i), Key: key}
			if find.Sort == "" {
				g.Title = s.Group
			}
			out.Groups = append(out.Groups, g)
		}
		out.Groups[i].servers = append(out.Groups[i].servers, s)
	}
	if len(left) > 0 {
		out.Groups = append(out.Groups, Group{
			ID: "group-left", Key: leftKey, Title: "No longer in the configuration", servers: left,
			Hint: "These still run. They stay until you stop them.",
		})
	}
	for i := range out.Groups {
		g := &out.Groups[i]
		g.find, g.frame = &find, &f
		g.Count = itoa(len(g.servers))
		g.Folded = slices.Contains(find.Folded, g.Key)
		g.Shown = slices.ContainsFunc(g.servers, find.Shows)
		out.None = out.None && !g.Shown
	}
	out.Summary = count.Summary(rev, find.State)
	return out
}

// Place says where on the overview a server stands: a change of it changes
// more than one row.
func Place(s *services.Status) string {
	if unconfigured(s) {
		return leftKey
	}
	return "group " + s.Group
}

// Count keeps the numbers of the summary up to date, change by change. The
// zero value has counted nothing.
type Count struct {
	total int
	kinds [len(tallies)]int
}

// tally is one kind of servers that are counted and can be chosen. Every server
// is of the first kind that fits.
type tally struct {
	key    string // in an address
	sign   Sign
	fits   func(*services.Status) bool
	always bool // it is shown also where there is none, so that nothing jumps
}

// tallies are the parts of the summary, the urgent ones first.
var tallies = [...]tally{
	{"failed", Sign{"failed", "failed", Bad}, in(services.Failed), true},
	{"backoff", Sign{"in backoff", "backoff", Warn}, in(services.BackOff), false},
	{"unhealthy", Sign{"unhealthy", "unwell", Warn}, func(s *services.Status) bool {
		return s.Phase == services.Running && !s.Orphaned && unwell(s)
	}, true},
	{"orphaned", Sign{Orphaned, "orphaned", Warn}, func(s *services.Status) bool { return s.Orphaned }, true},
	{"running", Sign{"running", "running", Good}, func(s *services.Status) bool {
		return s.Phase == services.Running && !s.Orphaned && !unwell(s)
	}, true},
	{"starting", Sign{"starting", "starting", Busy}, in(services.Starting), false},
	{"waiting", Sign{"waiting", "waiting", Busy}, in(services.Waiting), false},
	{"stopping", Sign{"stopping", "stopping", Busy}, in(services.Stopping), false},
	{"exited", Sign{"exited", "exited", Quiet}, in(services.Exited), false},
	{"stopped", Sign{"stopped", "stopped", Quiet}, in(services.Stopped), true},
}

// kindOf returns the place among the tallies of the kind that a server is of.
func kindOf(s *services.Status) int {
	for i := range tallies {
		if tallies[i].fits(s) {
			return i
		}
	}
	return len(tallies) - 1
}

func in(phase services.Phase) func(*services.Status) bool {
	return func(s *services.Status) bool { return s.Phase == phase && !s.Orphaned }
}

// Add counts a server.
func (c *Count) Add(s *services.Status) { c.change(s, 1) }

// Remove takes back what Add did for the same status.
func (c *Count) Remove(s *services.Status) { c.change(s, -1) }

func (c *Count) change(s *services.Status, by int) {
	c.total += by
	c.kinds[kindOf(s)] += by
}

// Summary is the line above the list. Each of its parts chooses what is shown.
type Summary struct {
	Rev   string
	Total string
	All   bool // nothing is chosen
	Parts []Part
	Title string // of the window
	Worst Tone
}

// Part is one number of the summary.
type Part struct {
	Sign
	Key    string
	N      string
	None   bool // it is 0
	Chosen bool
}

// Summary returns the line for what has been counted; chosen is the kind that
// is shown, "" for all.
func (c Count) Summary(rev uint64, chosen string) Summary {
	out := Summary{Rev: utoa(rev), Total: itoa(c.total), All: chosen == "", Worst: Good}
	trouble := 0
	for i, t := range tallies {
		n := c.kinds[i]
		if n == 0 && !t.always && t.key != chosen {
			continue
		}
		if n > 0 && (t.sign.Tone == Bad || t.sign.Tone == Warn) {
			trouble += n
			if out.Worst != Bad {
				out.Worst = t.sign.Tone
			}
		}
		out.Parts = append(out.Parts, Part{Sign: t.sign, Key: t.key, N: itoa(n), None: n == 0, Chosen: t.key == chosen})
	}
	out.Title = "tend"
	if trouble > 0 {
		out.Title = "(" + itoa(trouble) + ") tend"
	}
	return out
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
