package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tend/services"
	"tend/services/logs"
	"tend/views/model"
)

const (
	searchBytes = 4 << 20 // of the logs that are searched between two signs of progress
	// searchHits is to how many places a search leads. It goes on counting
	// beyond them.
	searchHits = 5000
	// searchTime is how long one search may take a core for itself.
	searchTime = 30 * time.Second
)

// progress is how far a search is.
type progress struct {
	Done int64  `json:"done"` // bytes
	All  int64  `json:"all"`
	Hits int    `json:"hits"`
	Text string `json:"text"`
}

// searchLogs sends, as server-sent events, where something is found: from the
// newest lines back, as those are looked for most. "hits" are places,
// "progress" and "done" say how far it is. It ends with whoever asked.
func (h *handler) searchLogs(w http.ResponseWriter, r *http.Request) error {
	v, err := h.viewOf(r)
	if err != nil {
		return err
	}
	switch {
	case len(v.servers) == 0:
		return services.Errorf(services.Invalid, "say of which servers: write server=NAME")
	case v.problem != "":
		return services.Errorf(services.Invalid, "%s", v.problem)
	case v.search == nil:
		return services.Errorf(services.Invalid, "say what to search for: write q=TEXT")
	}
	v.only = true
	all := make([]span, len(v.servers))
	for i, name := range v.servers {
		if all[i], err = h.spanOf(r, name); err != nil {
			return err
		}
	}
	leave, err := h.limits.searching(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	until := time.Now().Add(searchTime)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	wire := http.NewResponseController(w)
	at := make(cursor, len(v.servers))
	for i, s := range all {
		at[i] = s.end
	}
	var p progress
	for _, s := range all {
		p.All += s.size()
	}
	for left := searchHits; ; {
		found, err := h.piece(r.Context(), v, at, true, 1<<30, searchBytes)
		if err != nil {
			return nil // the stream ends without "done", which tells enough
		}
		at = found.first
		p.Hits += len(found.lines)
		var places strings.Builder
		for i := len(found.lines) - 1; i >= 0 && left > 0; i-- {
			places.WriteString(" " + v.place(found.lines[i].log, found.lines[i].Address))
			left--
		}
		p.Done = 0
		for i, s := range all {
			p.Done += s.beyond(at[i])
		}
		name, late := "progress", !found.begin && time.Now().After(until)
		if found.begin {
			name, p.Done = "done", p.All
		}
		p.Text = model.SearchText(p.Done, p.All, p.Hits, searchHits, found.begin)
		if late {
			name = "done"
			p.Text += fmt.Sprintf("; stopped after %v, at the newest: search for something simpler", searchTime)
		}
		state, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if places.Len() > 0 {
			fmt.Fprintf(w, "event: hits\ndata:%s\n\n", places.String())
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, state); err != nil || wire.Flush() != nil || name == "done" {
			return nil
		}
		select {
		case <-h.Ending:
			return nil
		default:
		}
	}
}

// span is from where to where a log goes.
type span struct{ first, end logs.Address }

func (h *handler) spanOf(r *http.Request, server string) (s span, err error) {
	s = span{atBegin, atBegin}
	for line, err := range h.Logs.Read(r.Context(), server, logs.Query{Tail: -1}) {
		if err != nil {
			return s, err
		}
		s.first = line.Address
		break
	}
	for line, err := range h.Logs.Read(r.Context(), server, logs.Query{Tail: 1}) {
		if err != nil {
			return s, err
		}
		s.end = line.Next
	}
	return s, nil
}

// size is how many bytes there are, of the present file where there are two.
func (s span) size() int64 { return s.beyond(s.first) }

// beyond is how many bytes lie between a place and the end.
func (s span) beyond(at logs.Address) int64 {
	if at.Gen == s.end.Gen {
		return s.end.Off - at.Off
	}
	return s.end.Off
}
