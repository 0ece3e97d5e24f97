package model

import (
	"testing"
	"time"

	"tend/services"
)

func TestThePageOfAccessTellsWhoSeesWhatUntilWhen(t *testing.T) {
	now := time.Now()
	at := func(d time.Duration) services.Time { return services.Time{Time: now.Add(d)} }
	a := AccessOf(
		[]services.User{{Name: "alice", Role: services.Operator, Servers: []string{"api", "db"}, Added: at(-time.Hour)}, {Name: "bob", Role: services.Admin}},
		[]services.Token{{Name: "ci", Role: services.Viewer, Expires: at(time.Hour), Used: at(-time.Minute)}, {Name: "old", Role: services.Viewer, Expires: at(0)}},
		[]services.Session{{ID: "1", User: "alice", Role: services.Operator, From: "10.0.0.1", Agent: "Firefox", Began: at(-time.Hour), Seen: at(-time.Second)}},
		nil, now)
	if u := a.Users[0]; u.Servers != "api, db" || u.Scope != "api db" || !u.Roles[1].Chosen || u.Roles[0].Chosen || !u.Added.Set {
		t.Errorf("%+v", u)
	}
	if u := a.Users[1]; u.Servers != "all" || u.Scope != "" || !u.Roles[2].Chosen {
		t.Errorf("%+v", u)
	}
	if a.Tokens[0].Expired || !a.Tokens[1].Expired || !a.Tokens[0].Used.Set || a.Tokens[1].Used.Set {
		t.Errorf("%+v", a.Tokens)
	}
	if s := a.Sessions[0]; s.User != "alice" || !s.Seen.Set || s.From != "10.0.0.1" {
		t.Errorf("%+v", s)
	}
}
