package model

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"tend/services"
)

// Timeline is a page of what happened, newest first.
type Timeline struct {
	Filter TimelineFilter
	Days   []TimelineDay
	Older  string // path of the page of what was before, "" for none
	Newest string // path of the first page, "" where this is it
}

// TimelineFilter is what the form shows as chosen.
type TimelineFilter struct {
	Servers []Choice
	Kinds   []Choice
	Spans   []Choice
	Text    string
	Set     bool // something is left out
}

// Choice is one entry of a list to choose from.
type Choice struct {
	Value, Text string
	Chosen      bool
}

// TimelineDay is what happened on one day.
type TimelineDay struct {
	Title  string
	Events []Happening
}

// Happening is one event on the screen.
type Happening struct {
	At     Moment
	Kind   string // in words
	Tone   Tone
	Icon   string
	Server string // "" where it is about no server
	Text   string
	By     string
}

// timelineSpans are the ages that can be chosen.
var timelineSpans = []Choice{{Value: "1h", Text: "last hour"}, {Value: "24h", Text: "last day"}, {Value: "168h", Text: "last week"}}

// TimelineOf makes the view of a page. asked is the query of its address.
func TimelineOf(page services.HistoryPage, servers []string, asked url.Values, now time.Time) Timeline {
	out := Timeline{Filter: TimelineFilter{Text: asked.Get("text")}}
	f := &out.Filter
	if name := asked.Get("server"); name != "" && !slices.Contains(servers, name) {
		servers = append(slices.Clone(servers), name) // one that is gone
	}
	for _, name := range servers {
		f.Servers = append(f.Servers, Choice{name, name, asked.Get("server") == name})
	}
	for _, kind := range services.EventKinds {
		f.Kinds = append(f.Kinds, Choice{string(kind), kindWord(kind), asked.Get("kind") == string(kind)})
	}
	for _, span := range timelineSpans {
		span.Chosen = asked.Get("since") == span.Value
		f.Spans = append(f.Spans, span)
	}
	f.Set = asked.Get("server")+asked.Get("kind")+asked.Get("since")+f.Text != ""
	if page.Next != 0 {
		out.Older = timelinePath(asked, strconv.FormatUint(page.Next, 10))
	}
	if asked.Get("before") != "" {
		out.Newest = timelinePath(asked, "")
	}
	for i := range page.Events {
		e := &page.Events[i]
		title := dayTitle(e.At.Time, now)
		if n := len(out.Days); n == 0 || out.Days[n-1].Title != title {
			out.Days = append(out.Days, TimelineDay{Title: title})
		}
		day := &out.Days[len(out.Days)-1]
		day.Events = append(day.Events, happening(e, now))
	}
	return out
}

// timelinePath is the address of another page of the same selection.
func timelinePath(asked url.Values, before string) string {
	query := url.Values{}
	for _, key := range []string{"server", "kind", "text", "since"} {
		if value := asked.Get(key); value != "" {
			query.Set(key, value)
		}
	}
	if before != "" {
		query.Set("before", before)
	}
	if len(query) == 0 {
		return "/timeline"
	}
	return "/timeline?" + query.Encode()
}

func dayTitle(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	switch at.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "Today"
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday"
	}
	return at.Format("Monday, 2 January 2006")
}

func happening(e *services.Event, now time.Time) Happening {
	h := Happening{At: Since(e.At.Time, now), Kind: kindWord(e.Kind), Server: e.Server, Text: e.Message, By: e.By}
	if name := e.Server + ": "; e.Server != "" && len(h.Text) > len(name) && h.Text[:len(name)] == name {
		h.Text = h.Text[len(name):]
	}
	h.At.Clock = e.At.Local().Format(clock)
	h.Tone, h.Icon = kindLook(e)
	if e.Crash {
		h.Kind = "crashed"
	}
	return h
}

func kindWord(kind services.EventKind) string {
	switch kind {
	case services.EventAdopted:
		return "taken over"
	case services.EventFailed:
		return "failed"
	case services.EventReload:
		return "configuration"
	}
	return string(kind)
}

// kindLook says how an event looks.
func kindLook(e *services.Event) (Tone, string) {
	switch e.Kind {
	case services.EventStarted, services.EventAdopted:
		return Good, "running"
	case services.EventFailed:
		return Bad, "failed"
	case services.EventExited:
		if e.Crash {
			return Bad, "failed"
		}
		return Quiet, "exited"
	case services.EventHealth, services.EventOrphan, services.EventThreshold, services.EventDisk:
		if e.Resolve {
			return Good, "well"
		}
		return Warn, "unwell"
	case services.EventLog, services.EventState, services.EventHistory, services.EventAlert:
		return Warn, "orphaned"
	case services.EventRemoved:
		return Quiet, "stopped"
	}
	return Quiet, "waiting"
}
