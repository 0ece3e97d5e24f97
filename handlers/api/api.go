// Package api is the REST surface: the same calls on the TCP address and on
// the unix socket. openapi.yaml, beside it, is its contract.
//
// Handlers return errors; the package that mounts them turns those into
// answers, so that every error of the program looks the same.
package api

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/logs"
)

//go:embed openapi.yaml
var contract []byte

// Logs is what the surface reads of the servers' output.
type Logs interface {
	Read(ctx context.Context, server string, q logs.Query) iter.Seq2[logs.Line, error]
}

// API is everything that the surface calls.
type API struct {
	Control  services.Control
	Logs     Logs
	Shutdown func(ctx context.Context, keep bool) error
	Info     any             // what /api/info shows
	Ending   <-chan struct{} // closed when streams have to end
}

// Handler is a handler whose error somebody else shows.
type Handler func(http.ResponseWriter, *http.Request) error

// Mount adds every route of the surface.
func (a *API) Mount(r *mux.Router, show func(Handler) http.Handler) {
	r.Handle("/api/servers", show(a.listServers)).Methods("GET")
	r.Handle("/api/servers", show(a.actOnServers)).Methods("POST")
	r.Handle("/api/servers/{id}", show(a.getServer)).Methods("GET")
	r.Handle("/api/servers/{id}", show(a.actOnServer)).Methods("POST")
	r.Handle("/api/servers/{id}/logs", show(a.readLogs)).Methods("GET")
	r.Handle("/api/events", show(a.streamEvents)).Methods("GET")
	r.Handle("/api/info", show(a.getInfo)).Methods("GET")
	r.Handle("/api/shutdown", show(a.shutdown)).Methods("POST")
	r.Handle("/api/openapi.yaml", show(a.getContract)).Methods("GET")
	r.Handle("/healthz", show(a.getHealth)).Methods("GET")
}

// Answer is what every order is answered with, and every error.
type Answer struct {
	Success bool          `json:"success"`
	Message string        `json:"message"`
	Kind    services.Kind `json:"kind,omitempty"` // of an error
}

// WriteJSON writes a whole value or nothing of it.
func WriteJSON(w http.ResponseWriter, status int, value any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(value); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes()) //nolint:errcheck // whoever asked has gone
	return nil
}

// query returns the parameters of a request and refuses those that the call
// does not know, and those given twice, but for the many.
func query(r *http.Request, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, services.Errorf(services.Invalid, "the query cannot be read: %v", err)
	}
	for name, given := range values {
		many := slices.Contains(known, name+"...")
		switch {
		case !many && !slices.Contains(known, name):
			return nil, services.Errorf(services.Invalid, "there is no parameter %q here: use %s", name,
				strings.ReplaceAll(strings.Join(known, ", "), "...", ""))
		case len(given) > 1 && !many:
			return nil, services.Errorf(services.Invalid, "parameter %q is given %d times", name, len(given))
		}
	}
	return values, nil
}

// truth reads a parameter that is true, false or absent.
func truth(values url.Values, name string) (bool, error) {
	switch text := values.Get(name); {
	case !values.Has(name), text == "false", text == "0":
		return false, nil
	case text == "true", text == "1", text == "":
		return true, nil
	default:
		return false, services.Errorf(services.Invalid, "%s=%s: write true or false", name, text)
	}
}

func (a *API) getInfo(w http.ResponseWriter, _ *http.Request) error {
	return WriteJSON(w, http.StatusOK, a.Info)
}

func (a *API) getContract(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(contract) //nolint:errcheck // whoever asked has gone
	return nil
}

func (a *API) getHealth(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n")) //nolint:errcheck // whoever asked has gone
	return nil
}

func (a *API) shutdown(w http.ResponseWriter, r *http.Request) error {
	values, err := query(r, "keep")
	if err != nil {
		return err
	}
	keep, err := truth(values, "keep")
	if err != nil {
		return err
	}
	if err := a.Shutdown(r.Context(), keep); err != nil {
		return err
	}
	message := "the manager stops all servers and ends"
	if keep {
		message = "the manager ends, its servers run on"
	}
	return WriteJSON(w, http.StatusOK, Answer{Success: true, Message: message})
}
