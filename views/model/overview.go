package model

import (
	"strconv"

	"tend/services"
)

// Overview is the list of all servers on the screen.
type Overview struct {
	Rev     string
	Summary Summary
	Groups  []Group
}

// Group is some servers under one heading.
type Group struct {
	ID      string // of its element
	Title   string // "" for no heading
	Hint    string
	Servers []Server
}

// Empty reports whether there is nothing to show.
func (o Overview) Empty() bool { return len(o.Groups) == 0 }

// OverviewOf gathers servers under the headings of their groups, in the order
// in which the groups first appear; those that left the configuration come
// last. rev is the position in the stream of changes that the list belongs to.
func OverviewOf(list []*services.Status, rev uint64, f Frame) Overview {
	out := Overview{Rev: utoa(rev)}
	var count Count
	place := make(map[string]int)
	var left []Server
	for _, s := range list {
		count.Add(s)
		server := ServerOf(s, f)
		if server.Unconfigured {
			left = append(left, server)
			continue
		}
		i, known := place[s.Group]
		if !known {
			i = len(out.Groups)
			place[s.Group] = i
			out.Groups = append(out.Groups, Group{ID: "group-" + itoa(i), Title: s.Group})
		}
		out.Groups[i].Servers = append(out.Groups[i].Servers, server)
	}
	if len(left) > 0 {
		out.Groups = append(out.Groups, Group{
			ID: "group-left", Title: "No longer in the configuration", Servers: left,
			Hint: "These still run. They stay until you stop them.",
		})
	}
	out.Summary = count.Summary(rev)
	return out
}

// Place says where on the overview a server stands: a change of it changes
// more than one row.
func Place(s *services.Status) string {
	if unconfigured(s) {
		return "left"
	}
	return "group " + s.Group
}

// Count keeps the numbers of the summary up to date, change by change. The
// zero value has counted nothing.
type Count struct {
	total int
	kinds [len(tallies)]int
}

// tallies are the parts of the summary, the urgent ones first.
var tallies = [...]struct {
	sign Sign
	fits func(*services.Status) bool
}{
	{Sign{"failed", "failed", Bad}, in(services.Failed)},
	{Sign{"in backoff", "backoff", Warn}, in(services.BackOff)},
	{Sign{"unhealthy", "unwell", Warn}, func(s *services.Status) bool {
		return s.Phase == services.Running && !s.Orphaned && unwell(s)
	}},
	{Sign{Orphaned, "orphaned", Warn}, func(s *services.Status) bool { return s.Orphaned }},
	{Sign{"running", "running", Good}, func(s *services.Status) bool {
		return s.Phase == services.Running && !s.Orphaned && !unwell(s)
	}},
	{Sign{"starting", "starting", Busy}, in(services.Starting)},
	{Sign{"waiting", "waiting", Busy}, in(services.Waiting)},
	{Sign{"stopping", "stopping", Busy}, in(services.Stopping)},
	{Sign{"exited", "exited", Quiet}, in(services.Exited)},
	{Sign{"stopped", "stopped", Quiet}, in(services.Stopped)},
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
	for i, t := range tallies {
		if t.fits(s) {
			c.kinds[i] += by
			return
		}
	}
}

// Summary is the line above the list.
type Summary struct {
	Rev   string
	Total string
	Parts []Part
	Title string // of the window
}

// Part is one number of the summary.
type Part struct {
	Sign
	N string
}

// Summary returns the line for what has been counted.
func (c Count) Summary(rev uint64) Summary {
	out := Summary{Rev: utoa(rev), Total: itoa(c.total) + " servers"}
	if c.total == 1 {
		out.Total = "1 server"
	}
	trouble := 0
	for i, t := range tallies {
		if c.kinds[i] == 0 {
			continue
		}
		if t.sign.Tone == Bad || t.sign.Tone == Warn {
			trouble += c.kinds[i]
		}
		out.Parts = append(out.Parts, Part{Sign: t.sign, N: itoa(c.kinds[i])})
	}
	out.Title = "tend"
	if trouble > 0 {
		out.Title = "(" + itoa(trouble) + ") tend"
	}
	return out
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
