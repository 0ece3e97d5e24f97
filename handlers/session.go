package handlers

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tend/services"
	"tend/services/access"
	"tend/views/model"
	"tend/views/pages"
)

// cookieName has the port in it: browsers keep one jar for all ports of a host,
// and two managers must not sign each other's users out.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" && strings.Trim(port, "0123456789") == "" {
		return "tend-session-" + port
	}
	return "tend-session"
}

// sessionOf returns the session that a request shows, empty for none.
func sessionOf(r *http.Request) string {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// keep gives a browser its session, or takes it where it is empty. No script
// reads it, and no other site makes a browser send it.
func keep(w http.ResponseWriter, r *http.Request, secret string, ends time.Time) {
	cookie := &http.Cookie{
		Name: cookieName(r), Value: secret, Path: "/", Expires: ends, HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode,
	}
	if secret == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// showSignIn asks who somebody is.
func (h *handler) showSignIn(w http.ResponseWriter, r *http.Request) error {
	return h.render(w, r, http.StatusOK, h.signInView(r, "", inside(r.URL.Query().Get("next"))))
}

func (h *handler) signInView(r *http.Request, why, next string) templ.Component {
	return pages.SignIn(h.frame(r, "Sign in · tend", time.Now()), model.SignIn{Why: why, Next: next})
}

// signIn begins a session for a name and a password.
func (h *handler) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return services.Errorf(services.Invalid, "the form cannot be read: send it again from the page")
	}
	next := inside(r.PostForm.Get("next"))
	if h.Access == nil {
		return services.Errorf(services.NotFound, "nobody signs in here")
	}
	secret, s, err := h.Access.SignIn(r.Context(), r.PostForm.Get("name"), r.PostForm.Get("password"), origin(r))
	if err == nil {
		h.signedIn(w, r, secret, s, next)
		return nil
	}
	if services.KindOf(err) != services.Forbidden {
		return err
	}
	p := problem{http.StatusUnauthorized, services.Forbidden, err.Error()}
	if n := noteOf(r); n != nil {
		n.result = resultOf(p)
	}
	return h.render(w, r, p.Status, h.signInView(r, "The name or the password is wrong.", next))
}

// showEnter asks whether the browser that has followed a link is to be signed
// in. Looking at the page uses the link up for nobody: programs look at links,
// too.
func (h *handler) showEnter(w http.ResponseWriter, r *http.Request) error {
	return h.render(w, r, http.StatusOK, pages.Enter(h.frame(r, "Sign in · tend", time.Now()), r.URL.Query().Get("key")))
}

// enter begins the session of a link. Other users of this machine, who may have
// seen it in the list of processes, cannot.
func (h *handler) enter(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil || h.Access == nil {
		return services.Errorf(services.Invalid, "the form cannot be read: follow the link again")
	}
	if p := peerOf(r); p.known && !p.ours() {
		return services.Errorf(services.Forbidden, "this link is for whoever runs tend, and not for another user of the machine")
	}
	secret, s, err := h.Access.Redeem(r.Context(), r.PostForm.Get("key"), origin(r))
	if err != nil {
		return err
	}
	h.signedIn(w, r, secret, s, "/")
	return nil
}

// signedIn hands out a session, in the place of the one that there may be.
func (h *handler) signedIn(w http.ResponseWriter, r *http.Request, secret string, s access.Subject, next string) {
	if old := sessionOf(r); old != "" {
		h.forget(r, old)
	}
	if n := noteOf(r); n != nil {
		n.by = actor(r, s)
	}
	keep(w, r, secret, s.Ends)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// signOut ends the session that the browser shows.
func (h *handler) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return services.Errorf(services.Invalid, "the form cannot be read: send it again from the page")
	}
	if old := sessionOf(r); old != "" && h.Access != nil {
		h.forget(r, old)
	}
	keep(w, r, "", time.Unix(1, 0))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

func (h *handler) forget(r *http.Request, secret string) {
	if err := h.Access.SignOut(r.Context(), secret); err != nil {
		h.Log.Warn("the end of a session is not written", "err", err)
	}
}

func origin(r *http.Request) access.Origin {
	return access.Origin{Address: address(r), Agent: r.UserAgent(), Local: peerOf(r).ours()}
}

// returnTo is where somebody wanted to go who has to sign in first.
func returnTo(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "/"
	}
	return inside(r.URL.RequestURI())
}

// inside returns a path of ours, and the overview for what leads elsewhere.
func inside(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") || u.Path == "/login" || u.Path == "/logout" {
		return "/"
	}
	return path
}
