package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
)

// longestWait bounds &wait=: a forgotten client must not hold a connection for
// ever.
const longestWait = time.Hour

func (a *API) listServers(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	list, err := a.Control.List(r.Context())
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, list)
}

func (a *API) getServer(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	s, err := a.Control.Get(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, s)
}

// actOnServer is the order for one server that the contract describes.
func (a *API) actOnServer(w http.ResponseWriter, r *http.Request) error {
	values, err := query(r, "action", "wait", "pid")
	if err != nil {
		return err
	}
	order := services.Order{Action: services.Action(values.Get("action")), Servers: []string{mux.Vars(r)["id"]}}
	if text := values.Get("pid"); values.Has("pid") {
		if order.Orphan, err = strconv.Atoi(text); err != nil || order.Orphan <= 0 {
			return services.Errorf(services.Invalid, "pid=%s: write the number of a process", text)
		}
	}
	return a.do(w, r, order, values.Get("wait"))
}

// actOnServers is one order for several servers, so that they are stopped in
// the order of their dependencies.
func (a *API) actOnServers(w http.ResponseWriter, r *http.Request) error {
	values, err := query(r, "action", "wait", "all", "id...")
	if err != nil {
		return err
	}
	order := services.Order{Action: services.Action(values.Get("action")), Servers: values["id"]}
	all, err := truth(values, "all")
	switch {
	case err != nil:
		return err
	case all && len(order.Servers) > 0:
		return services.Errorf(services.Invalid, "use all=true or id=, not both")
	case !all && len(order.Servers) == 0:
		return services.Errorf(services.Invalid, "name the servers with id=, or all of them with all=true")
	case all:
		list, err := a.Control.List(r.Context())
		if err != nil {
			return err
		}
		order.Servers = services.Configured(list)
		if len(order.Servers) == 0 {
			return WriteJSON(w, http.StatusOK, Answer{Success: true, Message: "there is no server"})
		}
	}
	return a.do(w, r, order, values.Get("wait"))
}

func (a *API) do(w http.ResponseWriter, r *http.Request, order services.Order, wait string) error {
	switch order.Action {
	case services.Start, services.Stop, services.Restart, services.Kill:
	case "":
		return services.Errorf(services.Invalid, "action is missing: use action=start, stop, restart or kill")
	default:
		return services.Errorf(services.Invalid, "%q is not an action: use start, stop, restart or kill", order.Action)
	}
	var patience time.Duration
	if wait != "" {
		var err error
		if patience, err = time.ParseDuration(wait); err != nil || patience <= 0 || patience > longestWait {
			return services.Errorf(services.Invalid, "wait=%s: write a time such as 30s, at most %s", wait, longestWait)
		}
	}
	if _, err := a.Control.Do(r.Context(), order); err != nil {
		return err
	}
	if patience > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if err := services.Await(ctx, a.Control, order); err != nil {
			return err
		}
	}
	return WriteJSON(w, http.StatusOK, Answer{Success: true, Message: said(order, patience > 0)})
}

// said tells what became of an order.
func said(order services.Order, outcome bool) string {
	who := strings.Join(order.Servers, ", ")
	if n := len(order.Servers); n > 3 {
		who = fmt.Sprintf("%d servers", n)
	}
	if order.Orphan != 0 {
		if outcome {
			return fmt.Sprintf("pid %d has ended, the port of %s is free", order.Orphan, who)
		}
		return fmt.Sprintf("pid %d, which holds the port of %s, was asked to end", order.Orphan, who)
	}
	if outcome {
		return who + map[services.Action]string{
			services.Start: " started", services.Stop: " stopped", services.Restart: " restarted", services.Kill: " killed",
		}[order.Action]
	}
	return who + map[services.Action]string{
		services.Start: ": start ordered", services.Stop: ": stop ordered", services.Restart: ": restart ordered", services.Kill: ": kill ordered",
	}[order.Action]
}
