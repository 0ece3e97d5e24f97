// Package handlers turns HTTP into calls of the services and their answers
// into views. Every route stands in routes.go.
package handlers

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"log/slog"
	"net/http"

	"tend/handlers/api"
	"tend/services"
	"tend/services/access"
	"tend/services/logs"
)

// Logs is what the pages and the REST surface read of the servers' output.
type Logs interface {
	Read(ctx context.Context, server string, q logs.Query) iter.Seq2[logs.Line, error]
	Copy(ctx context.Context, server string, to io.Writer) error
}

// Deps is everything the handlers call.
type Deps struct {
	Control  services.Control
	Logs     Logs
	History  api.History                                // nil for none
	Recent   *Recent                                    // nil for nothing
	Alerts   api.Alerts                                 // nil for nobody
	Tree     func(run string) []services.TreeProcess    // the processes of a run; nil for nothing
	Signal   api.Signal                                 // sends to one process of a run; nil where that cannot be
	Hub      http.Handler                               // the websocket endpoint, nil for none
	Access   *access.Access                             // tokens, sessions and users; nil where there are none
	Hosts    []string                                   // allowed values of Host, in lower case without ports, beside localhost and loopback addresses
	Shutdown func(ctx context.Context, keep bool) error // asks the manager to end; keep leaves servers running
	Upgrade  func(ctx context.Context, by string) error // has another program take over; nil where none can
	Metrics  http.Handler                               // what Prometheus reads
	Report   func(services.Event)                       // takes what is to be remembered of who changed what; nil for nobody
	Reload   Reload
	Settings Settings // what a server is configured to do; nil where nobody knows
	Info     Info
	Position func() uint64   // the id of the latest event, nil where nobody knows it
	Ending   <-chan struct{} // closed when streams have to end
	Log      *slog.Logger

	// LocalOperator says that whoever the kernel knows to be the manager's own
	// user, on a loopback address, is an operator without signing in. See
	// ConnContext: without it nobody comes in but by what Access knows.
	LocalOperator bool
}

// Reload reads the configuration again, see api.API.
type Reload = func(ctx context.Context, dry bool, id, by string) (services.Plan, error)

// Settings returns what a server is configured to do. Not found for one that is
// not configured.
type Settings = func(ctx context.Context, s *services.Status) (services.Settings, error)

// Info is what the pages and the CLI tell about this manager.
type Info struct {
	Version   string        `json:"version"`
	PID       int           `json:"pid"`
	StartedAt services.Time `json:"startedAt"` // no two managers have the same
	Config    string        `json:"config"`    // path of the configuration
	URL       string        `json:"url"`       // of the dashboard
	Demo      bool          `json:"demo"`

	Certificate Fingerprint `json:"certificate"` // nil for none
}

// Fingerprint tells the SHA-256 of the dashboard's certificate as it is now.
type Fingerprint func() string

// MarshalJSON writes the fingerprint, null where there is no certificate.
func (f Fingerprint) MarshalJSON() ([]byte, error) {
	if f == nil {
		return []byte("null"), nil
	}
	return json.Marshal(f())
}
