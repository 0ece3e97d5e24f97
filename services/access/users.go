package access

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"tend/services"
)

// Users lists every user, by name.
func (a *Access) Users(context.Context) ([]services.User, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]services.User, 0, len(a.book.users))
	for _, u := range a.book.users {
		u.Servers = filled(u.Servers)
		list = append(list, u.User)
	}
	slices.SortFunc(list, func(x, y services.User) int { return strings.Compare(x.Name, y.Name) })
	return list, nil
}

// filled is a list that is not null in JSON, and in one order.
func filled(servers []string) []string {
	out := append([]string{}, servers...)
	slices.Sort(out)
	return slices.Compact(out)
}

// AddUser adds a user. Invalid for a name, a role or a password that is no
// good, Conflict where there is one of that name.
func (a *Access) AddUser(ctx context.Context, u services.User, password string) error {
	if err := checkAccount(u.Name, u.Role, u.Servers); err != nil {
		return err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	u.Servers, u.Added = filled(u.Servers), services.Time{Time: time.Now()}
	return a.change(ctx, false, func(b *book) error {
		if _, taken := b.users[u.Name]; taken {
			return services.Errorf(services.Conflict, "there is a user %s already: remove it first, or change its role or password", u.Name)
		}
		if len(b.users) >= mostAccounts {
			return services.Errorf(services.Conflict, "there are %d users: remove some first", mostAccounts)
		}
		b.users[u.Name] = user{u, hash}
		return nil
	})
}

// ChangeUser changes a user. Another password signs it out everywhere.
// NotFound, Invalid.
func (a *Access) ChangeUser(ctx context.Context, name string, c services.UserChange) (err error) {
	hash := ""
	if c.Password != nil {
		if hash, err = a.hasher.hash(ctx, *c.Password); err != nil {
			return err
		}
	}
	return a.change(ctx, true, func(b *book) error {
		u, ok := b.users[name]
		if !ok {
			return errUnknown("user", name)
		}
		if c.Role != nil {
			u.Role = *c.Role
		}
		if c.Servers != nil {
			u.Servers = filled(*c.Servers)
		}
		if err := checkAccount(u.Name, u.Role, u.Servers); err != nil {
			return err
		}
		if hash != "" {
			u.Hash = hash
			b.signOut(name)
		}
		b.users[name] = u
		return nil
	})
}

// RemoveUser removes a user and ends its sessions. NotFound.
func (a *Access) RemoveUser(ctx context.Context, name string) error {
	return a.change(ctx, true, func(b *book) error {
		if _, ok := b.users[name]; !ok {
			return errUnknown("user", name)
		}
		delete(b.users, name)
		b.signOut(name)
		return nil
	})
}

// Tokens lists every token, by name, also those that have expired.
func (a *Access) Tokens(context.Context) ([]services.Token, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make([]services.Token, 0, len(a.book.tokens))
	for hash, t := range a.book.tokens {
		if at := a.seen[hash]; at.After(t.Used.Time) {
			t.Used = services.Time{Time: at}
		}
		t.Servers = filled(t.Servers)
		list = append(list, t.Token)
	}
	slices.SortFunc(list, func(x, y services.Token) int { return strings.Compare(x.Name, y.Name) })
	return list, nil
}

// longestToken bounds how far away the end of a token may be.
const longestToken = 10 * 366 * 24 * time.Hour

// AddToken makes a token and returns its secret, which nobody can get again.
// Invalid, Conflict where there is one of that name.
func (a *Access) AddToken(ctx context.Context, t services.Token) (secret string, err error) {
	if err := checkAccount(t.Name, t.Role, t.Servers); err != nil {
		return "", err
	}
	now := time.Now()
	if left := t.Expires.Sub(now); left <= 0 || left > longestToken {
		return "", services.Errorf(services.Invalid, "a token has to expire within the next ten years: say when, such as in 720h")
	}
	secret = TokenPrefix + newSecret()
	hash := hashOf(secret)
	t.Servers, t.Added, t.Used = filled(t.Servers), services.Time{Time: now}, services.Time{}
	err = a.change(ctx, false, func(b *book) error {
		if _, taken := b.tokenNamed(t.Name); taken {
			return services.Errorf(services.Conflict, "there is a token %s already: revoke it first, or choose another name", t.Name)
		}
		if len(b.tokens) >= mostAccounts {
			return services.Errorf(services.Conflict, "there are %d tokens: revoke some first", mostAccounts)
		}
		b.tokens[hash] = token{t, hash}
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// RevokeToken ends a token, and whatever was begun with it. NotFound.
func (a *Access) RevokeToken(ctx context.Context, name string) error {
	return a.change(ctx, true, func(b *book) error {
		t, ok := b.tokenNamed(name)
		if !ok {
			return errUnknown("token", name)
		}
		delete(b.tokens, t.Hash)
		return nil
	})
}

// Token returns who shows a token. Forbidden, with the reason.
func (a *Access) Token(secret string) (Subject, error) {
	now := time.Now()
	hash := hashOf(secret)
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.book.tokens[hash]
	switch {
	case !ok:
		return Subject{}, services.Errorf(services.Forbidden, "this token is not known: it was revoked, or is not whole")
	case !now.Before(t.Expires.Time):
		return Subject{}, services.Errorf(services.Forbidden, "the token %s has expired: ask for another one", t.Name)
	}
	a.note(hash, t.Used.Time, now)
	return t.subject(), nil
}

func (t token) subject() Subject {
	return Subject{Name: "token " + t.Name, Role: t.Role, Servers: t.Servers, Via: ViaToken, Ends: t.Expires.Time, credential: t.Hash}
}

// newest returns the sessions of somebody, the newest first.
func (b book) newest(of func(session) bool) []session {
	var list []session
	for s := range maps.Values(b.sessions) {
		if of(s) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(x, y session) int { return y.Began.Compare(x.Began.Time) })
	return list
}
