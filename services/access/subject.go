package access

import (
	"context"
	"slices"
	"time"

	"tend/services"
)

// Via is how a subject came in.
type Via string

// The ways in.
const (
	ViaSocket  Via = "socket"  // the manager's own user, or root, on the unix socket
	ViaLocal   Via = "local"   // the same, on the loopback address
	ViaToken   Via = "token"   // a program that showed a token
	ViaSession Via = "session" // a browser that signed in
)

// Subject is who is asking, and what that one may see and do.
type Subject struct {
	Name    string
	Role    services.Role
	Servers []string // what it sees, empty for all
	Via     Via
	Ends    time.Time // when it has to come in anew, zero for never

	credential string // hash of the token or session that it depends on, empty for none
}

// Limited reports whether there are servers that the subject does not see.
func (s Subject) Limited() bool { return len(s.Servers) > 0 }

// Sees reports whether the subject may know of a server.
func (s Subject) Sees(server string) bool { return !s.Limited() || slices.Contains(s.Servers, server) }

type subjectKey struct{}

// With notes who is asking.
func With(ctx context.Context, s Subject) context.Context {
	return context.WithValue(ctx, subjectKey{}, s)
}

// Of returns who is asking; false for nobody, who may nothing. The zero Subject
// is nobody, too.
func Of(ctx context.Context) (Subject, bool) {
	s, _ := ctx.Value(subjectKey{}).(Subject)
	return s, s.Role != ""
}
