package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tend/handlers/api"
	"tend/services"
	"tend/views/model"
	"tend/views/pages"
	"tend/views/partials"
)

// bulkActions are those that can be asked of several servers.
var bulkActions = []services.Action{services.Start, services.Stop, services.Restart, services.Kill}

// askBulk asks whether to act on the servers that are named, as part of a page
// for htmx and as a page of its own for a browser without JavaScript.
func (h *handler) askBulk(w http.ResponseWriter, r *http.Request) error {
	action, names, err := bulk(r.URL.Query())
	if err != nil {
		return err
	}
	all, err := h.Control.List(r.Context())
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s services.Status) bool { return s.ID == name }) {
			return services.Errorf(services.NotFound, "there is no server %q any more: look at the list again", name)
		}
	}
	ask := model.AskOf(action, names, services.WithDependents(all, names)[len(names):])
	if byHTMX(r) {
		return h.render(w, r, http.StatusOK, partials.Ask(ask))
	}
	frame := h.frame(r, ask.Title+" · tend", time.Now())
	frame.Here = "/"
	return h.render(w, r, http.StatusOK, pages.Ask(frame, ask))
}

// actBulk does what was asked. It answers at once, without waiting for the
// outcome.
func (h *handler) actBulk(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return services.Errorf(services.Invalid, "the form cannot be read: send it again from the page")
	}
	action, names, err := bulk(r.PostForm)
	if err != nil {
		return err
	}
	order := services.Order{Action: action, Servers: names, By: api.Actor(r.Context())}
	if r.PostForm.Get("dependents") == "true" {
		all, err := h.Control.List(r.Context())
		if err != nil {
			return err
		}
		order.Servers = services.WithDependents(all, names)
	}
	if _, err := h.Control.Do(r.Context(), order); err != nil {
		return err
	}
	if !byHTMX(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return h.render(w, r, http.StatusOK, partials.Notice(model.AskOf(action, order.Servers, nil).Done()))
}

// bulk reads what is to be done to which servers.
func bulk(form url.Values) (services.Action, []string, error) {
	action := services.Action(form.Get("action"))
	if !slices.Contains(bulkActions, action) {
		return "", nil, services.Errorf(services.Invalid, "action wants start, stop, restart or kill, not %.40q", action)
	}
	var names []string
	for _, name := range form["id"] {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", nil, services.Errorf(services.Invalid, "select at least one server first")
	}
	return action, names, nil
}
