package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
)

// roster is the memory that a list of servers takes, two megabytes for a thousand.
type roster struct {
	servers []services.Status
	text    []byte
}

// rosters are used again, as long as the garbage collector lets them: it would
// run for every third answer otherwise.
var rosters = sync.Pool{New: func() any { return new(roster) }}

// ListServers returns all servers.
func (a *API) ListServers(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	l := rosters.Get().(*roster)
	defer func() {
		clear(l.servers)
		rosters.Put(l)
	}()
	var err error
	if l.servers, err = services.AppendList(r.Context(), a.Control, l.servers[:0]); err != nil {
		return err
	}
	l.text = append(appendList(l.text[:0], l.servers), '\n')
	writeJSON(w, http.StatusOK, l.text)
	return nil
}

// GetServer returns one server.
func (a *API) GetServer(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	s, err := a.Control.Get(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, append(appendStatus(nil, &s), '\n'))
	return nil
}

// OrderServer takes an order for one server, and answers with success and
// message alone.
func (a *API) OrderServer(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "action", "wait", "pid", "dependents")
	if err != nil {
		return err
	}
	order := services.Order{Servers: []string{mux.Vars(r)["id"]}}
	answer, _, err := a.order(r, p, order)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, answer)
}

// OrderServers takes one order for several servers, so that they are stopped
// in the order of their dependencies, and answers with their statuses, too.
func (a *API) OrderServers(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "action", "wait", "pid", "id...", "all", "dependents")
	if err != nil {
		return err
	}
	order := services.Order{Servers: once(p["id"])}
	all, err := p.truth("all")
	switch {
	case err != nil:
		return err
	case all && len(order.Servers) > 0:
		return services.Errorf(services.Invalid, "write all=true or id=NAME, not both")
	case all && p.text("pid") != "":
		return services.Errorf(services.Invalid, "pid goes with one id, never with all")
	case !all && len(order.Servers) == 0:
		return services.Errorf(services.Invalid, "no server is named: write id=NAME, also several times, or all=true")
	case all:
		list, err := a.Control.List(r.Context())
		if err != nil {
			return err
		}
		order.Servers = services.Configured(list)
	}
	answer, list, err := a.order(r, p, order)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, struct {
		Answer
		Servers []services.Status `json:"servers"`
	}{answer, list})
}

func once(names []string) []string {
	seen := make(map[string]bool, len(names))
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		before := seen[name]
		seen[name] = true
		return before
	})
}

// order carries out what the parameters ask of the servers.
func (a *API) order(r *http.Request, p values, order services.Order) (Answer, []services.Status, error) {
	wait, err := p.wait()
	if err != nil {
		return Answer{}, nil, err
	}
	if order.Action, err = p.action(); err != nil {
		return Answer{}, nil, err
	}
	if order.Orphan, err = p.number("pid", 1, 0); err != nil {
		return Answer{}, nil, err
	}
	if order.Orphan != 0 && (order.Action != services.Stop || len(order.Servers) != 1) {
		return Answer{}, nil, services.Errorf(services.Invalid, "pid goes with action=stop and one server, whose port that process holds")
	}
	if len(order.Servers) == 0 {
		return Answer{Success: true, Message: "there is no server"}, []services.Status{}, nil
	}
	dependents, err := p.truth("dependents")
	if err != nil {
		return Answer{}, nil, err
	}
	if dependents {
		if order.Action == services.Start || order.Orphan != 0 {
			return Answer{}, nil, services.Errorf(services.Invalid, "dependents goes with stop, kill and restart of servers")
		}
		list, err := a.Control.List(r.Context())
		if err != nil {
			return Answer{}, nil, err
		}
		order.Servers = services.WithDependents(list, order.Servers)
	}
	order.By = Actor(r.Context())
	list, err := a.Control.Do(r.Context(), order)
	if err != nil {
		return Answer{}, nil, err
	}
	if wait == 0 {
		return Answer{Success: true, Message: accepted(order, list)}, list, nil
	}
	if err := a.await(r, order, wait); err != nil {
		return Answer{}, nil, err
	}
	return Answer{Success: true, Message: done(order)}, list, nil
}

// await waits for the outcome.
func (a *API) await(r *http.Request, order services.Order, wait time.Duration) error {
	ctx, cancel := a.until(r)
	defer cancel()
	ctx, cancelWait := context.WithTimeout(ctx, wait)
	defer cancelWait()
	return services.Await(ctx, a.Control, order)
}

// accepted says what an order has begun.
func accepted(order services.Order, list []services.Status) string {
	switch {
	case order.Orphan != 0:
		return fmt.Sprintf("pid %d, which holds the port of %s, is asked to end", order.Orphan, who(order))
	case len(list) == 1 && list[0].Phase == services.BackOff:
		return fmt.Sprintf("%s accepted: %s waits for its next attempt", order.Action, who(order))
	case len(list) == 1:
		return fmt.Sprintf("%s accepted: %s is %s", order.Action, who(order), list[0].Phase)
	}
	return fmt.Sprintf("%s accepted for %s", order.Action, who(order))
}

// done says what has become of an order.
func done(order services.Order) string {
	if order.Orphan != 0 {
		return fmt.Sprintf("pid %d has ended: the port of %s is free", order.Orphan, who(order))
	}
	switch order.Action {
	case services.Start:
		return who(order) + " started"
	case services.Restart:
		return who(order) + " restarted"
	case services.Kill:
		return who(order) + " killed"
	default:
		return who(order) + " stopped"
	}
}

func who(order services.Order) string {
	if n := len(order.Servers); n > 3 {
		return fmt.Sprintf("%d servers", n)
	}
	return strings.Join(order.Servers, ", ")
}
