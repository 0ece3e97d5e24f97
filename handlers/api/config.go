package api

import (
	"net/http"

	"tend/services"
)

// ReloadConfig reads the configuration again and answers with the plan; unless
// it is asked to be dry, the plan is carried out.
func (a *API) ReloadConfig(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "dry", "plan")
	if err != nil {
		return err
	}
	dry, err := p.truth("dry")
	if err != nil {
		return err
	}
	plan, err := a.Reload(r.Context(), dry, p.text("plan"), Actor(r.Context()))
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, Plan{ID: plan.ID(), Applied: !dry, Plan: plan})
}

// Plan is what a reload is answered with.
type Plan struct {
	ID      string `json:"id"`
	Applied bool   `json:"applied"`
	services.Plan
}
