package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gorilla/mux"

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
	order := services.Order{Action: action, Servers: []string{id}}
	if text := r.PostForm.Get("pid"); text != "" {
		pid, err := strconv.Atoi(text)
		if err != nil || pid <= 0 || action != services.Stop {
			return services.Errorf(services.Invalid, "pid is the number of the process that holds the port, and goes with stop only")
		}
		order.Orphan = pid
	}
	list, err := h.Control.Do(r.Context(), order)
	if err != nil {
		return err
	}
	if r.Header.Get("HX-Request") != "true" {
		back := "/"
		if r.PostForm.Get("from") == partials.OnServer.From {
			back = "/servers/" + url.PathEscape(id)
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	if len(list) != 1 {
		return services.Errorf(services.Internal, "%d statuses for one server", len(list))
	}
	server := model.ServerOf(&list[0], model.Frame{Now: time.Now(), Host: linkHost(h.Info.URL)})
	return h.render(w, r, http.StatusOK, answerTo(r, server))
}

// answerTo is what replaces the element that htmx names as its target.
func answerTo(r *http.Request, s model.Server) templ.Component {
	if strings.HasSuffix(r.Header.Get("HX-Target"), "#"+partials.OnServer.Target+s.ID) {
		return partials.Panel(s)
	}
	return partials.Row(s)
}
