package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gorilla/mux"

	"tend/handlers/api"
	"tend/services"
	"tend/views/model"
	"tend/views/partials"
)

// actOnServer carries out what a button asks for. It answers at once, without
// waiting for the outcome, with the part of the page that the button stands
// in; a browser without JavaScript is sent back to its page.
func (h *handler) actOnServer(w http.ResponseWriter, r *http.Request) error {
	id, action := mux.Vars(r)["id"], services.Action(mux.Vars(r)["action"])
	if err := r.ParseForm(); err != nil {
		return services.Errorf(services.Invalid, "the form cannot be read: send it again from the page")
	}
	order := services.Order{Action: action, Servers: []string{id}, By: api.Actor(r.Context())}
	if text := r.Form.Get("pid"); text != "" {
		pid, err := strconv.Atoi(text)
		if err != nil || pid <= 0 || action != services.Stop {
			return services.Errorf(services.Invalid, "pid is the number of the process that holds the port, and goes with stop only")
		}
		order.Orphan = pid
	}
	if r.Form.Get("dependents") == "true" {
		all, err := h.Control.List(r.Context())
		if err != nil {
			return err
		}
		order.Servers = services.WithDependents(all, order.Servers)
	}
	list, err := h.Control.Do(r.Context(), order)
	if err != nil {
		return err
	}
	if !byHTMX(r) {
		back := "/"
		if r.PostForm.Get("from") == partials.OnServer.From {
			back = "/servers/" + url.PathEscape(id)
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	if len(list) == 0 { // an orphan that is gone already
		return h.answerGone(w, r, id)
	}
	server := model.ServerOf(&list[0], h.view(time.Now()))
	if onPanel(r, id) {
		return h.render(w, r, http.StatusOK, partials.Panel(server))
	}
	return h.render(w, r, http.StatusOK, partials.Row(&model.Listed{Server: server}))
}

// signalProcess sends a signal to one process of a server.
func (h *handler) signalProcess(rest *api.API) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := r.ParseForm(); err != nil {
			return services.Errorf(services.Invalid, "the form cannot be read: send it again from the page")
		}
		id := mux.Vars(r)["id"]
		said, err := rest.Send(r, id, mux.Vars(r)["pid"])
		if err != nil {
			return err
		}
		if !byHTMX(r) {
			http.Redirect(w, r, "/servers/"+url.PathEscape(id)+"/processes", http.StatusSeeOther)
			return nil
		}
		return h.render(w, r, http.StatusOK, partials.Notice(said))
	}
}

// answerGone takes a server off the page.
func (h *handler) answerGone(w http.ResponseWriter, r *http.Request, id string) error {
	if onPanel(r, id) {
		return h.render(w, r, http.StatusOK, partials.Gone(id, ""))
	}
	w.Header().Set("HX-Reswap", "delete")
	return h.render(w, r, http.StatusOK, templ.NopComponent)
}

// onPanel reports whether the target that htmx names is a server's panel, and
// not its row.
func onPanel(r *http.Request, id string) bool {
	return strings.HasSuffix(r.Header.Get("HX-Target"), "#"+partials.OnServer.Target+id)
}
