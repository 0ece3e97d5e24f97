package api

import (
	"net/http"
	"strconv"
	"syscall"

	"github.com/gorilla/mux"

	"tend/services"
)

// ListTree answers with the processes of a server, the main one first; with
// none where it does not run.
func (a *API) ListTree(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	s, err := a.Control.Get(r.Context(), mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	list := []services.TreeProcess{}
	if s.Run != "" && a.Tree != nil {
		list = append(list, a.Tree(s.Run)...)
	}
	return WriteJSON(w, http.StatusOK, list)
}

// Signal sends a signal to one process of a run of a server, for somebody.
type Signal func(server, run string, pid int, sig syscall.Signal, by string) error

// SignalProcess sends a signal to one process of a server.
func (a *API) SignalProcess(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r, "pid", "signal"); err != nil {
		return err
	}
	said, err := a.Send(r, mux.Vars(r)["id"], r.Form.Get("pid"))
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, Answer{Success: true, Message: said})
}

// Send sends the signal that a request names to one process of a server, and
// returns what was done.
func (a *API) Send(r *http.Request, server, process string) (said string, err error) {
	pid, err := strconv.Atoi(process)
	if err != nil || pid < 1 {
		return "", bad("pid", process, "the number of a process")
	}
	sig, err := services.ParseSignal(r.Form.Get("signal"))
	if err != nil {
		return "", err
	}
	s, err := a.Control.Get(r.Context(), server)
	switch {
	case err != nil:
		return "", err
	case s.Run == "" || a.Signal == nil:
		return "", services.Errorf(services.NotFound, "%s has no processes: it does not run", server)
	}
	if err := a.Signal(server, s.Run, pid, sig, Actor(r.Context())); err != nil {
		return "", err
	}
	return services.SignalName(sig) + " was sent to pid " + process + " of " + server, nil
}
