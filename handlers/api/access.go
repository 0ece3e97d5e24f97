package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/access"
)

// Me is who is asking.
type Me struct {
	Name    string        `json:"name"`
	Role    services.Role `json:"role"`
	Servers []string      `json:"servers"` // what it sees, empty for all
	Via     access.Via    `json:"via"`
	Ends    services.Time `json:"ends"` // null for never
}

// Me tells who is asking.
func (a *API) Me(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	s, _ := access.Of(r.Context())
	return WriteJSON(w, http.StatusOK, Me{s.Name, s.Role, append([]string{}, s.Servers...), s.Via, services.Time{Time: s.Ends}})
}

// Answered answers a change with what was done.
func (a *API) Answered(change func(r *http.Request) (said string, err error)) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		said, err := change(r)
		if err != nil {
			return err
		}
		return WriteJSON(w, http.StatusOK, Answer{Success: true, Message: said})
	}
}

// who returns what knows users and tokens.
func (a *API) who() (*access.Access, error) {
	if a.Access == nil {
		return nil, services.Errorf(services.NotFound, "there are no users and tokens here")
	}
	return a.Access, nil
}

// list answers with a list of something.
func list[T any](a *API, w http.ResponseWriter, r *http.Request, of func(*access.Access) ([]T, error)) error {
	if _, err := params(r); err != nil {
		return err
	}
	known, err := a.who()
	if err != nil {
		return err
	}
	all, err := of(known)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, all)
}

// ListUsers answers with every user.
func (a *API) ListUsers(w http.ResponseWriter, r *http.Request) error {
	return list(a, w, r, func(k *access.Access) ([]services.User, error) { return k.Users(r.Context()) })
}

// ListTokens answers with every token, without their secrets.
func (a *API) ListTokens(w http.ResponseWriter, r *http.Request) error {
	return list(a, w, r, func(k *access.Access) ([]services.Token, error) { return k.Tokens(r.Context()) })
}

// ListSessions answers with every session.
func (a *API) ListSessions(w http.ResponseWriter, r *http.Request) error {
	return list(a, w, r, func(k *access.Access) ([]services.Session, error) { return k.Sessions(r.Context()) })
}

// AddUser adds the user that a form describes.
func (a *API) AddUser(r *http.Request) (said string, err error) {
	p, err := params(r, "name", "role", "password", "server...")
	if err != nil {
		return "", err
	}
	known, err := a.who()
	if err != nil {
		return "", err
	}
	password, err := secretOf(r)
	if err != nil {
		return "", err
	}
	u := services.User{Name: p.text("name"), Role: services.Role(p.text("role")), Servers: p.servers()}
	if err := known.AddUser(r.Context(), u, password); err != nil {
		return "", err
	}
	return "the user " + u.Name + " was added as " + string(u.Role), nil
}

// secretOf reads a password, which has to be in the body: addresses are written
// down in many places.
func secretOf(r *http.Request) (string, error) {
	if r.URL.Query().Has("password") {
		return "", services.Errorf(services.Invalid, "a password in an address is known to everybody: send it in the body, and choose another one")
	}
	return r.PostForm.Get("password"), nil
}

// servers reads a list of servers, in several values or in one.
func (v values) servers() []string {
	var out []string
	for _, text := range v["server"] {
		out = append(out, strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return out
}

// ChangeUser changes or removes a user.
func (a *API) ChangeUser(r *http.Request) (said string, err error) {
	p, err := params(r, "action", "role", "password", "server...")
	if err != nil {
		return "", err
	}
	known, err := a.who()
	if err != nil {
		return "", err
	}
	name := mux.Vars(r)["name"]
	var c services.UserChange
	switch action := p.text("action"); action {
	case "remove":
		said, err = "the user "+name+" was removed", known.RemoveUser(r.Context(), name)
		return said, err
	case "role":
		role := services.Role(p.text("role"))
		c.Role = &role
		if servers := p.servers(); p["server"] != nil {
			c.Servers = &servers
		}
		said = name + " is " + string(role) + " now"
	case "password":
		password, err := secretOf(r)
		if err != nil {
			return "", err
		}
		c.Password = &password
		said = name + " has another password now, and is signed out everywhere"
	default:
		return "", bad("action", action, "remove, role or password")
	}
	return said, known.ChangeUser(r.Context(), name, c)
}

// AddToken makes a token and answers with its secret, this once.
func (a *API) AddToken(w http.ResponseWriter, r *http.Request) error {
	token, secret, err := a.NewToken(r)
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, MadeToken{Name: token.Name, Token: secret, Expires: token.Expires})
}

// MadeToken is a token with its secret.
type MadeToken struct {
	Name    string        `json:"name"`
	Token   string        `json:"token"`
	Expires services.Time `json:"expires"`
}

// NewToken makes the token that a form describes.
func (a *API) NewToken(r *http.Request) (t services.Token, secret string, err error) {
	p, err := params(r, "name", "role", "expires", "server...")
	if err != nil {
		return t, "", err
	}
	known, err := a.who()
	if err != nil {
		return t, "", err
	}
	t = services.Token{Name: p.text("name"), Role: services.Role(p.text("role")), Servers: p.servers()}
	if t.Expires.Time, err = p.end("expires", time.Now()); err != nil {
		return t, "", err
	}
	secret, err = known.AddToken(r.Context(), t)
	return t, secret, err
}

// end reads when something ends: in some days, after some time, or at an
// instant.
func (v values) end(name string, now time.Time) (time.Time, error) {
	text := v.text(name)
	at, err := services.ParseEnd(text, now)
	if err != nil {
		return at, bad(name, text, err.Error())
	}
	return at, nil
}

// ChangeToken revokes a token.
func (a *API) ChangeToken(r *http.Request) (said string, err error) {
	known, name, err := a.revokes(r, "name")
	if err != nil {
		return "", err
	}
	return "the token " + name + " was revoked", known.RevokeToken(r.Context(), name)
}

// ChangeSession ends a session.
func (a *API) ChangeSession(r *http.Request) (said string, err error) {
	known, id, err := a.revokes(r, "session")
	if err != nil {
		return "", err
	}
	return "the session " + id + " has ended", known.RevokeSession(r.Context(), id)
}

// revokes reads what is to be revoked, which is all that can be done with it.
func (a *API) revokes(r *http.Request, part string) (known *access.Access, name string, err error) {
	p, err := params(r, "action")
	if err != nil {
		return nil, "", err
	}
	if action := p.text("action"); action != "revoke" {
		return nil, "", bad("action", action, "revoke")
	}
	known, err = a.who()
	return known, mux.Vars(r)[part], err
}

// Link signs one browser in, once.
type Link struct {
	Path string        `json:"path"` // at the address of the dashboard
	Ends services.Time `json:"ends"`
}

// MakeLink makes a link that signs a browser in as admin.
func (a *API) MakeLink(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	known, err := a.who()
	if err != nil {
		return err
	}
	key, ends, err := known.NewLink(r.Context(), Actor(r.Context()))
	if err != nil {
		return err
	}
	return WriteJSON(w, http.StatusOK, Link{Path: "/enter?key=" + key, Ends: services.Time{Time: ends}})
}
