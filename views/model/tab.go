package model

// Tab is a part of the page of a server, with an address of its own.
type Tab struct {
	Key  string // the digit that opens it
	Name string
	URL  string
	Here bool
}

// tabs are the parts of the page of a server, by the end of their addresses.
var tabs = []struct{ path, name string }{{"", "Overview"}, {"/logs", "Logs"}, {"/events", "Events"}, {"/processes", "Processes"}, {"/config", "Configuration"}}

// Around is what leads from a server to its tabs and its neighbors.
type Around struct {
	ID             string
	Tabs           []Tab
	Previous, Next string // names, "" at the ends
}

// AroundOf returns what is around a server on one of its tabs; names are those
// of all servers, in the order of the list.
func AroundOf(id, tab string, names []string) Around {
	out := Around{ID: id}
	for i, t := range tabs {
		out.Tabs = append(out.Tabs, Tab{Key: itoa(i + 1), Name: t.name, URL: "/servers/" + id + t.path, Here: t.path == tab})
	}
	for i, name := range names {
		if name != id {
			continue
		}
		if i > 0 {
			out.Previous = names[i-1] + tab
		}
		if i+1 < len(names) {
			out.Next = names[i+1] + tab
		}
	}
	return out
}
