package api

import (
	"net/http"

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
