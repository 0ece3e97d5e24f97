package handlers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"tend/handlers/api"
	"tend/services"
	"tend/services/access"
)

// recognised finds out who is asking, once for all that follows. What that one
// came in by may be taken back meanwhile: then the request ends.
func (h *handler) recognised(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := h.subject(r)
		if err != nil {
			s = access.Subject{}
		}
		by := actor(r, s)
		if n := noteOf(r); n != nil {
			n.by = by
		}
		ctx := api.WithActor(access.With(context.WithValue(r.Context(), keyStranger, err), s), by)
		if h.Access != nil && !s.Ends.IsZero() {
			held, end := context.WithCancelCause(ctx)
			release := h.Access.Hold(s, func() { end(errRevoked) })
			expiry := time.AfterFunc(time.Until(s.Ends), func() { end(errRevoked) })
			defer func() {
				expiry.Stop()
				release()
				end(nil)
			}()
			ctx = held
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// errRevoked ends a request whose token or session is good no more.
var errRevoked = errors.New("what this was begun with is good no more")

func revoked(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errRevoked) }

// subject is who is asking; an error, with the reason, for nobody. What is
// shown on purpose counts before what the kernel says: a token that is no good
// is no way in, whoever shows it.
func (h *handler) subject(r *http.Request) (access.Subject, error) {
	p := peerOf(r)
	if secret, shown := bearer(r); shown {
		if h.Access == nil {
			return access.Subject{}, services.Errorf(services.Forbidden, "there are no tokens here")
		}
		return h.Access.Token(secret)
	}
	if secret := sessionOf(r); secret != "" && h.Access != nil {
		if s, ok := h.Access.Session(secret, p.ours()); ok {
			return s, nil
		}
	}
	if s, ok := access.Of(r.Context()); ok {
		return s, nil // whoever serves has said it
	}
	switch {
	case p.socket && p.ours():
		return access.Subject{Name: "cli" + p.named(), Role: services.Admin, Via: access.ViaSocket}, nil
	case h.LocalOperator && p.loopback && p.ours() && straight(r):
		return access.Subject{Name: "local", Role: services.Operator, Via: access.ViaLocal}, nil
	}
	return access.Subject{}, errors.New("sign in first")
}

// bearer returns the token that a request shows. Another way to sign in is
// none.
func bearer(r *http.Request) (secret string, shown bool) {
	text := r.Header.Get("Authorization")
	if text == "" {
		return "", false
	}
	kind, secret, _ := strings.Cut(text, " ")
	if !strings.EqualFold(kind, "Bearer") {
		return "", true
	}
	return strings.TrimSpace(secret), true
}

// straight reports whether a request looks as if nobody passed it on: it names
// this machine as its own user does, and no proxy has left its mark.
func straight(r *http.Request) bool {
	name := r.Host
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		name = host
	}
	switch strings.ToLower(strings.Trim(name, "[]")) {
	case "localhost", "127.0.0.1", "::1":
	default:
		return false
	}
	for header := range r.Header {
		switch {
		case strings.HasPrefix(header, "X-Forwarded-"), header == "Forwarded", header == "X-Real-Ip", header == "Via":
			return false
		}
	}
	return true
}

// need is what a route asks of whoever asks.
type need struct {
	role  services.Role // empty for nothing
	whole bool          // what it is about is more than single servers
}

// What routes ask for.
var (
	anybody       = need{}
	viewer        = need{role: services.Viewer}
	viewerOfAll   = need{role: services.Viewer, whole: true}
	operator      = need{role: services.Operator}
	operatorOfAll = need{role: services.Operator, whole: true}
	admin         = need{role: services.Admin, whole: true}
)

// allowed refuses those who may not do what a handler does.
func allowed(n need, handle api.Handler) api.Handler {
	if n.role == "" {
		return handle
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		s, ok := access.Of(r.Context())
		switch {
		case !ok || revoked(r.Context()):
			return errNobody(r)
		case !s.Role.May(n.role):
			return services.Errorf(services.Forbidden, "that takes the role %s, and this is %s: %s", n.role, article(s.Role), wayUp(s))
		case n.whole && s.Limited():
			return services.Errorf(services.Forbidden, "that is about all servers, and only some are shown here: %s", strings.Join(s.Servers, ", "))
		}
		return handle(w, r)
	}
}

func article(role services.Role) string {
	if role == services.Viewer {
		return "a viewer"
	}
	return "an " + string(role)
}

// wayUp says how somebody may do more.
func wayUp(s access.Subject) string {
	if s.Via == access.ViaToken {
		return "use a token of that role"
	}
	return "sign in as somebody of that role, or run `tend open`"
}

// stranger is the error of somebody who has not come in.
type stranger struct{ why string }

// Error says what to do.
func (s *stranger) Error() string { return s.why }

// errNobody refuses who has not come in, or may not stay.
func errNobody(r *http.Request) error {
	why, _ := r.Context().Value(keyStranger).(error)
	var known *services.Error
	switch {
	case revoked(r.Context()):
		return &stranger{"this was ended: sign in again"}
	case errors.As(why, &known):
		return &stranger{known.Msg}
	}
	return &stranger{"sign in first, or show a token (Authorization: Bearer tend_…)"}
}

// streams ends an answer that was cut short by a revocation as what it is, so
// that nobody takes half of it for the whole.
func streams(handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := handle(w, r)
		if !revoked(r.Context()) {
			return err
		}
		if rec, ok := w.(*recorder); ok && rec.status != 0 {
			if rec.status == http.StatusSwitchingProtocols {
				return nil // the websocket has said goodbye itself
			}
			panic(http.ErrAbortHandler)
		}
		return errNobody(r)
	}
}
