package canned

import (
	"time"

	"tend/services"
)

// Access is who may come in.
func Access(now time.Time) (users []services.User, tokens []services.Token, sessions []services.Session) {
	at := func(d time.Duration) services.Time { return services.Time{Time: now.Add(d)} }
	const day = 24 * time.Hour
	users = []services.User{
		{Name: "alice", Role: services.Admin, Added: at(-90 * day)},
		{Name: "bob", Role: services.Operator, Servers: []string{"api", "worker", "mailer"}, Added: at(-10 * day)},
		{Name: "carol.with-a-long-name@example.com", Role: services.Viewer, Added: at(-time.Hour)},
	}
	tokens = []services.Token{
		{Name: "prometheus", Role: services.Viewer, Expires: at(200 * day), Used: at(-12 * time.Second)},
		{Name: "deploy", Role: services.Operator, Servers: []string{"api"}, Expires: at(20 * day)},
		{Name: "old", Role: services.Viewer, Expires: at(-day), Used: at(-3 * day)},
	}
	sessions = []services.Session{
		{ID: "3f2a9c01d4e7", User: "cli alice (uid 1000)", Role: services.Admin, From: "127.0.0.1", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Began: at(-time.Hour), Seen: at(-time.Second)},
		{ID: "81bc55f00a12", User: "bob", Role: services.Operator, From: "2001:db8::17", Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", Began: at(-2 * day), Seen: at(-20 * time.Minute)},
	}
	return users, tokens, sessions
}
