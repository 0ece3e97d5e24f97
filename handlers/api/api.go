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
	"strconv"

	"tend/services"
	"tend/services/access"
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
	History  History
	Alerts   Alerts
	Access   *access.Access                          // nil where there are no users
	Tree     func(run string) []services.TreeProcess // nil for nothing
	Signal   Signal                                  // nil where that cannot be
	Shutdown func(ctx context.Context, keep bool) error
	Upgrade  func(ctx context.Context, by string) error // nil where it cannot be
	// Reload reads the configuration again and, unless it is dry, applies the
	// plan; with an id only the plan that has it.
	Reload   func(ctx context.Context, dry bool, id, by string) (services.Plan, error)
	Info     any             // what /api/info shows
	Position func() uint64   // the id of the latest event, nil where nobody knows it
	Ending   <-chan struct{} // closed when streams have to end, nil for never
}

// Handler is a handler whose error somebody else shows. Once it has begun to
// answer, an error means that the answer is not whole.
type Handler func(http.ResponseWriter, *http.Request) error

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
	writeJSON(w, status, b.Bytes())
	return nil
}

func writeJSON(w http.ResponseWriter, status int, text []byte) {
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Content-Length", strconv.Itoa(len(text)))
	head.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(text) //nolint:errcheck // whoever asked has gone
}

// until returns a context that ends with the request, or with the manager if
// that is sooner: it does not wait for whoever only waits or listens.
func (a *API) until(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	if a.Ending == nil {
		return ctx, cancel
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-a.Ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-done
	}
}

// GetInfo tells about the manager.
func (a *API) GetInfo(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, a.Info)
}

// GetContract returns openapi.yaml.
func (a *API) GetContract(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(contract) //nolint:errcheck // whoever asked has gone
	return nil
}

// GetHealth says that the manager is alive, whatever its servers do.
func (a *API) GetHealth(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte("ok\n")) //nolint:errcheck // whoever asked has gone
	return nil
}

// TakeOver has the program that is installed now take over. It answers when
// that one has shown that it can.
func (a *API) TakeOver(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	if a.Upgrade == nil {
		return services.Errorf(services.Unavailable, "no other program can take over here")
	}
	if err := a.Upgrade(r.Context(), Actor(r.Context())); err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, Answer{Success: true, Message: "another program takes over, the servers run on"})
}

// End asks the manager to end. It answers before that happens.
func (a *API) End(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "keep")
	if err != nil {
		return err
	}
	keep, err := p.truth("keep")
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
