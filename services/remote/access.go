package remote

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tend/services"
)

const accessPath = "/api/access/"

// Users lists every user.
func (c *Client) Users(ctx context.Context) (list []services.User, err error) {
	err = c.ask(ctx, request{method: http.MethodGet, path: accessPath + "users"}, &list)
	return list, err
}

// AddUser adds a user. Invalid, Conflict.
func (c *Client) AddUser(ctx context.Context, u services.User, password string) error {
	form := url.Values{"name": {u.Name}, "role": {string(u.Role)}, "server": u.Servers, "password": {password}}
	return c.order(ctx, accessPath+"users", form)
}

// ChangeUser changes a user. NotFound, Invalid.
func (c *Client) ChangeUser(ctx context.Context, name string, change services.UserChange) error {
	form := url.Values{}
	if change.Password != nil {
		form = url.Values{"action": {"password"}, "password": {*change.Password}}
	}
	if change.Role != nil {
		form = url.Values{"action": {"role"}, "role": {string(*change.Role)}}
		if change.Servers != nil {
			form["server"] = append([]string{""}, *change.Servers...) // also where that is none, which is all
		}
	}
	return c.named(ctx, "user", accessPath+"users/", name, form)
}

// RemoveUser removes a user. NotFound.
func (c *Client) RemoveUser(ctx context.Context, name string) error {
	return c.named(ctx, "user", accessPath+"users/", name, url.Values{"action": {"remove"}})
}

// Tokens lists every token.
func (c *Client) Tokens(ctx context.Context) (list []services.Token, err error) {
	err = c.ask(ctx, request{method: http.MethodGet, path: accessPath + "tokens"}, &list)
	return list, err
}

// AddToken makes a token and returns its secret. Invalid, Conflict.
func (c *Client) AddToken(ctx context.Context, t services.Token) (secret string, err error) {
	form := url.Values{"name": {t.Name}, "role": {string(t.Role)}, "server": t.Servers, "expires": {t.Expires.Format(time.RFC3339)}}
	var answer struct {
		Token string `json:"token"`
	}
	err = c.ask(ctx, request{method: http.MethodPost, path: accessPath + "tokens", form: form}, &answer)
	return answer.Token, err
}

// RevokeToken ends a token. NotFound.
func (c *Client) RevokeToken(ctx context.Context, name string) error {
	return c.named(ctx, "token", accessPath+"tokens/", name, url.Values{"action": {"revoke"}})
}

// Sessions lists every session.
func (c *Client) Sessions(ctx context.Context) (list []services.Session, err error) {
	err = c.ask(ctx, request{method: http.MethodGet, path: accessPath + "sessions"}, &list)
	return list, err
}

// RevokeSession ends a session. NotFound.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	return c.named(ctx, "session", accessPath+"sessions/", id, url.Values{"action": {"revoke"}})
}

// NewLink returns the path of a link that signs a browser in, once.
func (c *Client) NewLink(ctx context.Context) (path string, err error) {
	var answer struct {
		Path string `json:"path"`
	}
	err = c.ask(ctx, request{method: http.MethodPost, path: accessPath + "links", form: url.Values{}}, &answer)
	return answer.Path, err
}

// named sends an order about something that has a name. NotFound where nothing
// can bear that name.
func (c *Client) named(ctx context.Context, what, path, name string, form url.Values) error {
	if !services.ValidAccount(name) {
		return services.Errorf(services.NotFound, "there is no %s %.80q", what, name)
	}
	return c.order(ctx, path+name, form)
}

// order sends an order that is answered with what was done.
func (c *Client) order(ctx context.Context, path string, form url.Values) error {
	var answer struct{}
	return c.ask(ctx, request{method: http.MethodPost, path: path, form: form}, &answer)
}
