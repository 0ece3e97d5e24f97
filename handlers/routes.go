package handlers

import (
	"net/http"

	"github.com/gorilla/mux"

	"tend/handlers/api"
	"tend/services"
	"tend/static"
)

type handler struct{ Deps }

// New returns the whole web application. Every route stands here, or in
// api.Mount.
func New(d Deps) http.Handler {
	h := &handler{d}
	r := mux.NewRouter()
	h.routes(r)
	return h.guarded(r)
}

func (h *handler) routes(r *mux.Router) {
	rest := api.API{Control: h.Control, Logs: h.Logs, Shutdown: h.Shutdown, Info: h.Info, Ending: h.Ending}
	rest.Mount(r, h.show)

	r.Handle("/", h.show(h.showOverview)).Methods("GET", "HEAD")
	r.Handle("/servers/{id}", h.show(h.showServer)).Methods("GET", "HEAD")
	r.Handle("/servers/{id}/log", h.show(h.streamLog)).Methods("GET")
	r.Handle("/servers/{id}/{action}", h.show(h.actOnServer)).Methods("POST")
	r.Handle("/ws", h.Hub).Methods("GET")
	r.PathPrefix(static.Prefix).Handler(static.Handler()).Methods("GET", "HEAD")

	r.NotFoundHandler = h.show(func(_ http.ResponseWriter, r *http.Request) error {
		return services.Errorf(services.NotFound, "there is nothing at %s", r.URL.Path)
	})
	r.MethodNotAllowedHandler = http.HandlerFunc(h.wrongMethod)
}

// wrongMethod answers 405 in the form that was asked for.
func (h *handler) wrongMethod(w http.ResponseWriter, r *http.Request) {
	message := r.Method + " does not work here"
	if wantsJSON(r) {
		api.WriteJSON(w, http.StatusMethodNotAllowed, api.Answer{Message: message, Kind: services.Invalid}) //nolint:errcheck // strings always encode
		return
	}
	http.Error(w, message, http.StatusMethodNotAllowed)
}
