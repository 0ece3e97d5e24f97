package model

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"tend/services"
)

// Find is what somebody has chosen to see of the overview, and in which order.
// The zero value shows everything in the order of the configuration. What is
// typed while the page is open overview.js applies, by the same rules.
type Find struct {
	Query  string   // words that a server has to match, all of them
	State  string   // a Kind, "" for all
	Sort   string   // a column, with a minus before it for the largest first; "" for none
	Folded []string // groups whose servers are not shown
}

// FindOf reads the choices from the parameters of an address. What makes no
// sense is left out. A parameter that comes twice counts the last time, as the
// buttons of the form come after its fields.
func FindOf(q url.Values) Find {
	last := func(name string) string {
		if list := q[name]; len(list) > 0 {
			return list[len(list)-1]
		}
		return ""
	}
	if q.Has("all") {
		q = url.Values{"sort": q["sort"], "fold": q["fold"]}
	}
	f := Find{Query: strings.Join(strings.Fields(last("q")), " "), State: last("state"), Sort: last("sort")}
	if len(f.Query) > longestQuery {
		f.Query = ""
	}
	if !slices.ContainsFunc(tallies[:], func(t tally) bool { return t.key == f.State }) {
		f.State = ""
	}
	if _, known := columns[strings.TrimPrefix(f.Sort, "-")]; !known {
		f.Sort = ""
	}
	f.Folded = slices.Compact(slices.Sorted(slices.Values(q["fold"])))
	for _, group := range q["toggle"] {
		if i, folded := slices.BinarySearch(f.Folded, group); folded {
			f.Folded = slices.Delete(f.Folded, i, i+1)
		} else {
			f.Folded = slices.Insert(f.Folded, i, group)
		}
	}
	return f
}

// longestQuery bounds what is looked for, in bytes.
const longestQuery = 200

// Path is the address of the overview with these choices.
func (f Find) Path() string {
	q := url.Values{"fold": f.Folded}
	for name, value := range map[string]string{"q": f.Query, "state": f.State, "sort": f.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if text := q.Encode(); text != "" {
		return "/?" + text
	}
	return "/"
}

// Shows reports whether a server is among those that were chosen.
func (f Find) Shows(s *services.Status) bool {
	kind := tallies[kindOf(s)].key
	if f.State != "" && kind != f.State {
		return false
	}
	if f.Query == "" {
		return true
	}
	text := strings.ToLower(strings.Join([]string{s.Name, s.Group, s.Command, number(s.Port), StateOf(s).Word, kind}, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(f.Query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// Column is the head of a column by which the list can be sorted.
type Column struct {
	Key, Name string
	Next      string // value of sort that a click asks for
	Sorted    string // value of aria-sort, "" for not by this one
}

// Column returns the head of a column for these choices: the first click puts
// first what people look for, the second turns that round, the third is back
// to no order.
func (f Find) Column(key, name string) Column {
	first, second := key, "-"+key
	if columns[key].largestFirst {
		first, second = second, first
	}
	out := Column{Key: key, Name: name, Next: first}
	switch f.Sort {
	case first:
		out.Next = second
	case second:
		out.Next = ""
	default:
		return out
	}
	out.Sorted = "ascending"
	if strings.HasPrefix(f.Sort, "-") {
		out.Sorted = "descending"
	}
	return out
}

// column compares servers by one of their values.
type column struct {
	compare      func(a, b *services.Status) int
	largestFirst bool
}

func by[T cmp.Ordered](value func(*services.Status) T) func(a, b *services.Status) int {
	return func(a, b *services.Status) int { return cmp.Compare(value(a), value(b)) }
}

var columns = map[string]column{
	"state":    {by(func(s *services.Status) int { return kindOf(s) }), false},
	"name":     {by(func(s *services.Status) string { return strings.ToLower(s.Name) }), false},
	"health":   {by(func(s *services.Status) int { return wellness(s) }), false},
	"pid":      {by(func(s *services.Status) services.Int { return s.PID }), false},
	"port":     {by(func(s *services.Status) services.Int { return s.Port }), false},
	"cpu":      {by(func(s *services.Status) float64 { return usage(s).CPU }), true},
	"memory":   {by(func(s *services.Status) services.Amount { return usage(s).Memory }), true},
	"up":       {by(func(s *services.Status) int64 { return upSince(s) }), false},
	"restarts": {by(func(s *services.Status) int { return s.Restarts }), true},
	"exit":     {by(func(s *services.Status) int64 { return exitedAt(s) }), true},
}

func usage(s *services.Status) services.Sample {
	if s.Usage == nil {
		return services.Sample{CPU: -1, Memory: services.Unknown}
	}
	return *s.Usage
}

func wellness(s *services.Status) int {
	switch {
	case unwell(s):
		return 0
	case s.Healthy != nil:
		return 1
	}
	return 2
}

// upSince is when the present run began; what does not run comes last.
func upSince(s *services.Status) int64 {
	if s.PID == 0 || s.StartedAt.IsZero() {
		return 1 << 62
	}
	return s.StartedAt.UnixMilli()
}

func exitedAt(s *services.Status) int64 {
	if s.Exit == nil {
		return 0
	}
	return s.Exit.At.UnixMilli()
}

// sorted returns the servers in the chosen order; those that are equal stay in
// the order of the configuration.
func (f Find) sorted(list []*services.Status) []*services.Status {
	key, largestFirst := strings.CutPrefix(f.Sort, "-")
	c, known := columns[key]
	if !known {
		return list
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b *services.Status) int {
		if largestFirst {
			a, b = b, a
		}
		return c.compare(a, b)
	})
	return out
}
