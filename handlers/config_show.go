package handlers

import (
	"net/http"
	"time"

	"tend/handlers/api"
	"tend/services"
	"tend/views/model"
	"tend/views/pages"
)

// showConfig shows what a reload of the configuration would change.
func (h *handler) showConfig(w http.ResponseWriter, r *http.Request) error {
	return h.configPage(w, r, nil)
}

// testAlerts sends a test to every target and shows how that went.
func (h *handler) testAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return services.Errorf(services.Invalid, "the form cannot be read: send it again from the page of the configuration")
	}
	return h.configPage(w, r, h.Alerts.Test(r.Context()))
}

func (h *handler) configPage(w http.ResponseWriter, r *http.Request, tests []services.AlertTest) error {
	plan, err := h.Reload(r.Context(), true, "", "")
	view := model.PlanOf(plan)
	switch {
	case services.KindOf(err) == services.Invalid:
		view = model.PlanProblems(err)
	case err != nil:
		return err
	}
	now := time.Now()
	frame := h.frame(r, "Configuration · tend", now)
	frame.Here = "/config"
	return h.render(w, r, http.StatusOK, pages.Config(frame, view, model.AlertsOf(h.Alerts.Targets(), tests, now)))
}

// reloadConfig carries out the plan that the page has shown.
func (h *handler) reloadConfig(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil || r.PostForm.Get("plan") == "" {
		return services.Errorf(services.Invalid, "the form names no plan: send it again from the page of the configuration")
	}
	if _, err := h.Reload(r.Context(), false, r.PostForm.Get("plan"), api.Actor(r.Context())); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
