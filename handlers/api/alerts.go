package api

import (
	"context"
	"net/http"

	"tend/services"
)

// Alerts is what the surface knows of those who are told.
type Alerts interface {
	Targets() []services.AlertTarget
	Test(ctx context.Context) []services.AlertTest
}

// ListAlerts answers with every target.
func (a *API) ListAlerts(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, a.Alerts.Targets())
}

// TestAlerts sends a test to every target.
func (a *API) TestAlerts(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, a.Alerts.Test(r.Context()))
}
