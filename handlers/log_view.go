package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/logs"
	"tend/views/model"
	"tend/views/pages"
	"tend/views/partials"
)

const (
	maxMerged  = 32  // logs in one view
	maxPattern = 500 // bytes of what is searched for
)

// logView is what a page of logs shows: of which servers, and which lines.
type logView struct {
	servers []string
	merged  bool // at /logs: places have names
	level   model.Level
	text    string // what is searched for
	exact   bool   // as a regular expression
	only    bool   // only lines in which that is found
	search  *regexp.Regexp
	needle  needle // tells most lines from those in which search finds something
	problem string // why there is no search though there is text
}

// place names a place in one of the logs.
func (v *logView) place(log int, at logs.Address) string {
	if v.merged {
		return v.servers[log] + ":" + at.String()
	}
	return at.String()
}

func (v *logView) log(name string) int { return slices.Index(v.servers, name) }

// sifts reports whether some lines are not shown.
func (v *logView) sifts() bool { return v.level != model.LevelNone || v.only && v.search != nil }

func (v *logView) passes(text []byte, levels *model.Leveler) bool {
	if v.level != model.LevelNone && levels.Of(text) < v.level {
		return false
	}
	return !v.only || v.search == nil || v.needle.mayBeIn(text) && v.search.Match(text)
}

// size bounds how much of the logs is read for one piece.
func (v *logView) size() int64 {
	if v.sifts() {
		return siftBytes
	}
	return pieceBytes
}

// path is where the view is; params are its own, without a place.
func (v *logView) path() string {
	if v.merged {
		return "/logs"
	}
	return "/servers/" + v.servers[0] + "/logs"
}

func (v *logView) params() url.Values {
	q := url.Values{}
	if v.merged {
		q["server"] = v.servers
	}
	return q
}

// viewOf reads what a request wants to see. That the text to search for is no
// regular expression is shown, and is no error.
func (h *handler) viewOf(r *http.Request) (*logView, error) {
	q := r.URL.Query()
	v := &logView{level: model.LevelOf(q.Get("level")), text: q.Get("q"), exact: q.Get("re") != "", only: q.Get("only") != ""}
	if id, ok := mux.Vars(r)["id"]; ok {
		v.servers = []string{id}
	} else {
		v.merged = true
		for _, name := range q["server"] {
			if !slices.Contains(v.servers, name) {
				v.servers = append(v.servers, name)
			}
		}
	}
	if len(v.servers) > maxMerged {
		return nil, services.Errorf(services.Invalid, "%d logs are too many to read at once: choose at most %d", len(v.servers), maxMerged)
	}
	for _, name := range v.servers {
		if _, err := h.Control.Get(r.Context(), name); err != nil {
			return nil, err
		}
	}
	v.compile()
	return v, nil
}

func (v *logView) compile() {
	switch {
	case v.text == "":
		return
	case len(v.text) > maxPattern:
		v.problem = "That is too long to search for: write something shorter."
		return
	}
	pattern := v.text
	if !v.exact {
		pattern, v.needle = "(?i)"+regexp.QuoteMeta(v.text), needleOf(v.text)
	}
	search, err := regexp.Compile(pattern)
	if err != nil {
		v.problem = "That is not a regular expression: " + strings.TrimPrefix(err.Error(), "error parsing regexp: ") + "."
		return
	}
	v.search = search
}

// showLogs shows the logs of one server, or of several merged by time.
func (h *handler) showLogs(w http.ResponseWriter, r *http.Request) error {
	v, err := h.viewOf(r)
	if err != nil {
		return err
	}
	list, err := h.Control.List(r.Context())
	if err != nil {
		return err
	}
	if len(v.servers) == 0 && len(list) <= model.FewLogs {
		for _, s := range list {
			v.servers = append(v.servers, s.Name)
		}
	}
	view := model.LogView{Level: v.level, Text: v.text, Exact: v.exact, Only: v.only, Problem: v.problem, Time: r.URL.Query().Get("at")}
	title, here := "Logs · tend", "/logs"
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Name
	}
	var around model.Around
	if v.merged {
		view.Choose(names, v.servers)
	} else {
		title, here = "Log of "+v.servers[0]+" · tend", "/"
		around = model.AroundOf(v.servers[0], "/logs", names)
	}
	if len(v.servers) > 0 {
		p, err := h.pieceFor(r, v)
		if err != nil {
			return err
		}
		view.Of(v.path(), v.params(), v.servers, v.show(p))
	}
	frame := h.frame(r, title, time.Now())
	frame.Here = here
	return h.render(w, r, http.StatusOK, pages.Logs(frame, view, around))
}

// showLogWindow sends some lines, ready-made, with the places before and after them.
func (h *handler) showLogWindow(w http.ResponseWriter, r *http.Request) error {
	v, err := h.viewOf(r)
	if err != nil {
		return err
	}
	if len(v.servers) == 0 {
		return services.Errorf(services.Invalid, "say of which servers: write server=NAME")
	}
	p, err := h.pieceFor(r, v)
	if err != nil {
		return err
	}
	return h.render(w, r, http.StatusOK, partials.LogPiece(v.show(p)))
}

// pieceFor reads the lines that a request asks for: before, after or around a
// place, at a time, or the newest.
func (h *handler) pieceFor(r *http.Request, v *logView) (piece, error) {
	q, ctx := r.URL.Query(), r.Context()
	for _, name := range []string{"before", "after", "around"} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		at, err := h.cursor(ctx, v, text)
		if err != nil {
			return piece{}, err
		}
		if name == "around" {
			return h.around(ctx, v, at)
		}
		return h.piece(ctx, v, at, name == "before", pieceLines, v.size())
	}
	if text := q.Get("at"); text != "" {
		moment, err := momentOf(text, time.Now())
		if err != nil {
			return piece{}, err
		}
		at, err := h.since(ctx, v, moment)
		if err != nil {
			return piece{}, err
		}
		return h.around(ctx, v, at)
	}
	return h.newest(ctx, v)
}

// momentOf reads a moment as people and browsers write it, in the zone of the
// manager where it names none.
func momentOf(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, form := range []string{"2006-01-02T15:04:05.999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return t, nil
		}
	}
	for _, form := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(form, text); err == nil {
			y, m, d := now.Local().Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.Local), nil
		}
	}
	return time.Time{}, services.Errorf(services.Invalid, "%.60q is not a time: write it as 15:04:05 or 2026-01-31 15:04:05", text)
}

// show puts the lines of a piece on the screen.
func (v *logView) show(p piece) model.LogPiece {
	out := model.LogPiece{First: p.first.text(v), Next: p.next.text(v), Begin: p.begin, End: p.end, Problem: v.problem}
	if p.middle != nil {
		out.Middle = v.place(p.middle.log, p.middle.Address)
	}
	shown := v.screen()
	for _, f := range p.lines {
		out.Entries = append(out.Entries, shown.entry(f.log, f.Line))
	}
	return out
}

// entries turns the lines of some logs into what is shown. Not for concurrent
// use.
type entries struct {
	view    *logView
	link    string // what the address of a page round a place begins with
	writers []model.Writer
	next    cursor // where the last line of each ended
	open    []bool
}

func (v *logView) screen() *entries {
	n := len(v.servers)
	e := &entries{view: v, link: "?", writers: make([]model.Writer, n), next: make(cursor, n), open: make([]bool, n)}
	if params := v.params().Encode(); params != "" {
		e.link += params + "&"
	}
	for i := range e.writers {
		e.writers[i].Mark = v.search
	}
	return e
}

func (e *entries) entry(log int, line logs.Line) model.Entry {
	out := e.writers[log].Entry(line.Text, line.Cut && !line.Partial, line.At)
	follows := line.Address == e.next[log]
	out.Gap = !e.next[log].IsZero() && !follows && !e.view.sifts()
	out.Joins = e.open[log] && follows && len(e.next) == 1
	out.Open = line.Partial
	e.next[log], e.open[log] = line.Next, line.Partial
	out.Place = e.view.place(log, line.Address)
	out.Link = e.link + "around=" + url.QueryEscape(out.Place) + "#" + out.Place
	if e.view.merged {
		out.Server, out.Color = e.view.servers[log], log%model.EntryColors
	}
	return out
}

// downloadLog sends a whole log as a file.
func (h *handler) downloadLog(w http.ResponseWriter, r *http.Request) error {
	id := mux.Vars(r)["id"]
	if _, err := h.Control.Get(r.Context(), id); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+id+`.log"`)
	w.Header().Set("Cache-Control", "no-store")
	copied := h.Logs.Copy(r.Context(), id, w)
	if r.Context().Err() != nil {
		return nil
	}
	return copied
}
