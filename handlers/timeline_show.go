package handlers

import (
	"net/http"
	"time"

	"tend/handlers/api"
	"tend/views/model"
	"tend/views/pages"
)

// timelineLength is how many events are on a page of the timeline.
const timelineLength = 100

// showTimeline shows what happened to all servers.
func (h *handler) showTimeline(w http.ResponseWriter, r *http.Request) error {
	query, err := api.HistoryQuery(r)
	if err != nil {
		return err
	}
	query.Limit = timelineLength
	page, err := h.History.Events(r.Context(), query)
	if err != nil {
		return err
	}
	list, err := h.Control.List(r.Context())
	if err != nil {
		return err
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Name
	}
	now := time.Now()
	frame := h.frame(r, "Timeline · tend", now)
	frame.Here = "/timeline"
	return h.render(w, r, http.StatusOK, pages.Timeline(frame, model.TimelineOf(page, names, r.Form, now)))
}
