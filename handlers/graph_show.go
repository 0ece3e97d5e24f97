package handlers

import (
	"net/http"
	"strconv"
	"time"

	"tend/services"
	"tend/views/model"
	"tend/views/pages"
)

// showGraph shows how all servers depend on each other.
func (h *handler) showGraph(w http.ResponseWriter, r *http.Request) error {
	at := h.position() // before the list: what changes meanwhile is pushed again
	list, err := h.Control.List(r.Context())
	if err != nil {
		return err
	}
	refs := make([]*services.Status, len(list))
	for i := range list {
		refs[i] = &list[i]
	}
	frame := h.frame(r, "Dependencies · tend", time.Now())
	frame.Topic, frame.Since, frame.Path, frame.Here = topicGraph, strconv.FormatUint(at, 10), "/graph", "/graph"
	return h.render(w, r, http.StatusOK, pages.Graph(frame, model.GraphOf(refs, at)))
}
