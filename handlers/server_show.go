package handlers

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/gorilla/mux"

	"tend/handlers/api"
	"tend/services"
	"tend/services/logs"
	"tend/views/model"
	"tend/views/pages"
	"tend/views/partials"
)

// shownLines is how much of a log a page begins with.
const shownLines = 200

// aServer is what every tab of a server begins with.
type aServer struct {
	id     string
	now    time.Time
	status services.Status
}

// showTab shows a server with one of its tabs; view makes what is on it.
func (h *handler) showTab(tab string, view func(ctx context.Context, r *http.Request, s aServer) (templ.Component, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, at := mux.Vars(r)["id"], h.position()
		status, err := h.Control.Get(r.Context(), id)
		if err != nil {
			return err
		}
		all, err := h.Control.List(r.Context())
		if err != nil {
			return err
		}
		names := make([]string, len(all))
		for i := range all {
			names[i] = all[i].ID
		}
		now := time.Now()
		content, err := view(r.Context(), r, aServer{id, now, status})
		if err != nil {
			return err
		}
		frame := h.frame(r, status.Name+" · tend", now)
		frame.Topic, frame.Since, frame.Path, frame.Here = topicServer(id), strconv.FormatUint(at, 10), r.URL.RequestURI(), "/"
		page := pages.Server(frame, model.ServerOf(&status, h.view(now)), model.AroundOf(id, tab, names))
		return h.render(w, r.WithContext(templ.WithChildren(r.Context(), content)), http.StatusOK, page)
	}
}

func (h *handler) viewOverview(ctx context.Context, r *http.Request, s aServer) (templ.Component, error) {
	charts := h.charts(ctx, s.id, model.RangeOf(r.URL.Query().Get("range")), s.now)
	return pages.ServerOverview(charts, h.output(ctx, s.id)), nil
}

func (h *handler) viewEvents(ctx context.Context, _ *http.Request, s aServer) (templ.Component, error) {
	page, err := h.History.Events(ctx, services.HistoryQuery{Servers: []string{s.id}, Limit: timelineLength})
	if err != nil {
		return nil, err
	}
	return pages.ServerEvents(s.id, h.runs(ctx, s.id, s.now), model.TimelineOf(page, nil, nil, s.now).Days), nil
}

func (h *handler) viewProcesses(_ context.Context, _ *http.Request, s aServer) (templ.Component, error) {
	var list []services.TreeProcess
	if s.status.Run != "" && h.Tree != nil {
		list = h.Tree(s.status.Run)
	}
	return partials.Processes(s.id, model.ProcessesOf(list, s.now)), nil
}

// viewSettings shows what a server is configured to do. One that is not in the
// configuration any more has a page that says so.
func (h *handler) viewSettings(ctx context.Context, _ *http.Request, s aServer) (templ.Component, error) {
	if h.Settings == nil {
		return partials.Settings(model.Settings{}), nil
	}
	settings, err := h.Settings(ctx, &s.status)
	if err != nil && services.KindOf(err) != services.NotFound {
		return nil, err
	}
	return partials.Settings(model.SettingsOf(settings, s.status.Drift)), nil
}

const (
	chartPoints = 300
	chartMarks  = 200 // events of one server that may become marks
	shownRuns   = 10
)

// charts is what a server used. History may be lost or late: then there is
// less to draw.
func (h *handler) charts(ctx context.Context, id string, span model.Range, now time.Time) model.Charts {
	from := now.Add(-span.Span())
	samples, err := h.History.Samples(ctx, id, from, now, chartPoints)
	if err != nil {
		h.miss(ctx, "what a server used cannot be read", id, err)
	}
	page, err := h.History.Events(ctx, services.HistoryQuery{
		Servers: []string{id}, Kinds: []services.EventKind{services.EventStarted, services.EventExited}, Since: from, Limit: chartMarks,
	})
	if err != nil {
		h.miss(ctx, "what happened to a server cannot be read", id, err)
	}
	return model.NewCharts(id, span, samples, model.MarksOf(page.Events), now)
}

// miss notes that a part of a page is missing, unless nobody waits for it any
// more.
func (h *handler) miss(ctx context.Context, what, server string, err error) {
	if ctx.Err() == nil {
		h.Log.Warn(what, "server", server, "err", err)
	}
}

// runs are the latest runs of a server.
func (h *handler) runs(ctx context.Context, id string, now time.Time) []model.PastRun {
	list, err := h.History.Runs(ctx, id, time.Time{}, shownRuns)
	if err != nil {
		h.miss(ctx, "the runs of a server cannot be read", id, err)
	}
	return model.RunsOf(list, now)
}

// output is the end of a log. That it cannot be read is no reason not to show
// the rest of the page.
func (h *handler) output(ctx context.Context, id string) model.Output {
	out := model.Output{ID: id, Stream: "/servers/" + id + "/log"}
	var screen screen
	for line, err := range h.Logs.Read(ctx, id, logs.Query{Tail: shownLines}) {
		if err != nil {
			h.Log.Warn("a log could not be shown", "server", id, "err", err)
			out.Error = "The log cannot be read: " + err.Error()
			break
		}
		out.Lines = append(out.Lines, screen.line(line))
	}
	if !screen.next.IsZero() {
		out.After = screen.next.String()
	}
	return out
}

// screen turns the lines of one stream into what is shown. Not for concurrent
// use.
type screen struct {
	painter model.Painter
	next    logs.Address // where the last line ended, zero before the first
	open    bool         // the last line had no end
}

func (s *screen) line(line logs.Line) model.Line {
	out := s.painter.LineOf(line.Text, line.Cut && !line.Partial, line.At)
	follows := line.Address == s.next
	out.Gap = !s.next.IsZero() && !follows
	out.Joins = s.open && follows
	out.Open = line.Partial
	s.next, s.open = line.Next, line.Partial
	return out
}
