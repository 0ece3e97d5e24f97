package handlers

import (
	"net/http"
	"time"

	"tend/handlers/api"
	"tend/services"
	"tend/views/model"
	"tend/views/pages"
)

// showAccess shows who may come in.
func (h *handler) showAccess(w http.ResponseWriter, r *http.Request) error {
	return h.accessPage(w, r, nil)
}

// accessPage shows it with a token that was just made, which is not shown again.
func (h *handler) accessPage(w http.ResponseWriter, r *http.Request, made *model.NewToken) error {
	if h.Access == nil {
		return services.Errorf(services.NotFound, "there are no users and tokens here")
	}
	ctx := r.Context()
	users, err := h.Access.Users(ctx)
	if err != nil {
		return err
	}
	tokens, err := h.Access.Tokens(ctx)
	if err != nil {
		return err
	}
	sessions, err := h.Access.Sessions(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	frame := h.frame(r, "Access · tend", now)
	frame.Here = "/access"
	return h.render(w, r, http.StatusOK, pages.Access(frame, model.AccessOf(users, tokens, sessions, made, now)))
}

// back carries out a change of the REST surface for a form, and sends the
// browser back to the page.
func (h *handler) back(change func(r *http.Request) (said string, err error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := change(r); err != nil {
			return err
		}
		http.Redirect(w, r, "/access", http.StatusSeeOther)
		return nil
	}
}

// addToken makes a token and shows it, this once.
func (h *handler) addToken(rest *api.API) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		token, secret, err := rest.NewToken(r)
		if err != nil {
			return err
		}
		return h.accessPage(w, r, &model.NewToken{Name: token.Name, Secret: secret})
	}
}
