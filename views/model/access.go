package model

import (
	"strings"
	"time"

	"tend/services"
)

// SignIn is what the page shows on which people sign in.
type SignIn struct {
	Why  string // why the last attempt, or what was wanted, has failed; "" for nothing
	Next string // where it goes on
}

// Access is who may come in.
type Access struct {
	Users    []AccessUser
	Tokens   []AccessToken
	Sessions []AccessSession
	Roles    []Choice // of somebody new
	New      *NewToken
}

// NewToken is a token that was just made. It is shown once.
type NewToken struct{ Name, Secret string }

// AccessUser is one user.
type AccessUser struct {
	Name, Servers string
	Role          string
	Roles         []Choice
	Scope         string // the servers as a form has them
	Added         Moment
}

// AccessToken is one token.
type AccessToken struct {
	Name, Role, Servers string
	Expires             string
	Expired             bool
	Used                Moment
}

// AccessSession is a browser that has signed in.
type AccessSession struct {
	ID, User, Role, From, Agent string
	Began, Seen                 Moment
}

// AccessOf makes the view of who may come in.
func AccessOf(users []services.User, tokens []services.Token, sessions []services.Session, made *NewToken, now time.Time) Access {
	out := Access{New: made, Roles: rolesOf(services.Viewer)}
	for _, u := range users {
		out.Users = append(out.Users, AccessUser{
			Name: u.Name, Role: string(u.Role), Servers: serversOf(u.Servers), Scope: strings.Join(u.Servers, " "), Roles: rolesOf(u.Role), Added: Since(u.Added.Time, now),
		})
	}
	for _, t := range tokens {
		out.Tokens = append(out.Tokens, AccessToken{
			Name: t.Name, Role: string(t.Role), Servers: serversOf(t.Servers), Used: Since(t.Used.Time, now),
			Expires: t.Expires.Local().Format("2 January 2006"), Expired: !now.Before(t.Expires.Time),
		})
	}
	for _, s := range sessions {
		out.Sessions = append(out.Sessions, AccessSession{
			ID: s.ID, User: s.User, Role: string(s.Role), From: s.From, Agent: s.Agent, Began: Since(s.Began.Time, now), Seen: Since(s.Seen.Time, now),
		})
	}
	return out
}

func serversOf(list []string) string {
	if len(list) == 0 {
		return "all"
	}
	return strings.Join(list, ", ")
}

func rolesOf(chosen services.Role) []Choice {
	out := make([]Choice, len(services.Roles))
	for i, role := range services.Roles {
		out[i] = Choice{Value: string(role), Text: string(role), Chosen: role == chosen}
	}
	return out
}
