package handlers

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/logs"
	"tend/views/model"
	"tend/views/pages"
)

// shownLines is how much of a log a page begins with.
const shownLines = 200

// showServer shows one server and the end of its log.
func (h *handler) showServer(w http.ResponseWriter, r *http.Request) error {
	id, at := mux.Vars(r)["id"], h.position()
	status, err := h.Control.Get(r.Context(), id)
	if err != nil {
		return err
	}
	now := time.Now()
	server := model.ServerOf(&status, h.view(now))
	frame := h.frame(server.Name+" · tend", now)
	frame.Topic, frame.Since, frame.Path, frame.Here = topicServer(id), strconv.FormatUint(at, 10), r.URL.RequestURI(), "/"
	charts := h.charts(r.Context(), id, model.RangeOf(r.URL.Query().Get("range")), now)
	return h.render(w, r, http.StatusOK, pages.Server(frame, server, charts, h.runs(r.Context(), id, now), h.output(r.Context(), id)))
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
		h.Log.Warn("what a server used cannot be read", "server", id, "err", err)
	}
	page, err := h.History.Events(ctx, services.HistoryQuery{
		Servers: []string{id}, Kinds: []services.EventKind{services.EventStarted, services.EventExited}, Since: from, Limit: chartMarks,
	})
	if err != nil {
		h.Log.Warn("what happened to a server cannot be read", "server", id, "err", err)
	}
	return model.NewCharts(id, span, samples, model.MarksOf(page.Events), now)
}

// runs are the latest runs of a server.
func (h *handler) runs(ctx context.Context, id string, now time.Time) []model.PastRun {
	list, err := h.History.Runs(ctx, id, time.Time{}, shownRuns)
	if err != nil {
		h.Log.Warn("the runs of a server cannot be read", "server", id, "err", err)
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
