package access

import (
	"context"
	"strings"
	"time"

	"tend/services"
)

// Origin is where somebody signs in from.
type Origin struct {
	Address string // without a port
	Agent   string // what the browser says it is
	Local   bool   // the kernel says: a process of the manager's own user
}

// TooMany is the cause of an error of kind Unavailable: somebody who guesses
// has to wait.
type TooMany struct{ Wait time.Duration }

// Error says how long.
func (e *TooMany) Error() string { return "wait " + e.Wait.Round(time.Second).String() }

// SignIn begins a session of a user and returns its secret. Forbidden for a
// wrong name or password, in the same words after the same time; Unavailable,
// with TooMany as its cause, for who has guessed too often.
func (a *Access) SignIn(ctx context.Context, name, password string, from Origin) (secret string, s Subject, err error) {
	if wait := a.throttle.admit(name, from.Address); wait > 0 {
		return "", s, &services.Error{Kind: services.Unavailable, Msg: "that was wrong too often", Err: &TooMany{wait + time.Second}}
	}
	a.mu.Lock()
	u, known := a.book.users[name]
	a.mu.Unlock()
	right, stale, err := a.hasher.check(ctx, u.Hash, password)
	switch {
	case err != nil:
		return "", s, err
	case !right || !known:
		return "", s, errWrong()
	}
	a.throttle.succeeded(name, from.Address)
	if stale {
		a.renew(ctx, u, password)
	}
	return a.begin(ctx, session{Session: services.Session{User: name}}, from, func(b *book) bool {
		now, ok := b.users[name]
		return ok && (now.Hash == u.Hash || stale)
	})
}

// renew hashes a password anew, at the present cost. That it fails does no harm.
func (a *Access) renew(ctx context.Context, was user, password string) {
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		err = a.change(ctx, false, func(b *book) error {
			if now, ok := b.users[was.Name]; ok && now.Hash == was.Hash {
				now.Hash = hash
				b.users[was.Name] = now
			}
			return nil
		})
	}
	if err != nil {
		a.Log.Warn("a password was not hashed anew", "user", was.Name, "err", err)
	}
}

// begin puts a session into the book, if that is still right. Where the file
// cannot be written the session holds until the manager ends: whoever comes to
// free a full disk must not be kept out by it.
func (a *Access) begin(ctx context.Context, s session, from Origin, right func(*book) bool) (secret string, subject Subject, err error) {
	secret = newSecret()
	now := services.Time{Time: time.Now()}
	s.Hash = hashOf(secret)
	s.ID, s.From, s.Agent, s.Local = s.Hash[:idSize], from.Address, cut(from.Agent), from.Local
	s.Began, s.Seen, s.Ends = now, now, services.Time{Time: now.Add(lifetime)}
	err = a.change(ctx, true, func(b *book) error {
		if !right(b) {
			return errWrong()
		}
		b.crowd(func(o session) bool { return o.Link == s.Link && o.User == s.User }, mostBegun-1)
		b.crowd(func(session) bool { return true }, mostSessions-1)
		b.sessions[s.Hash] = s
		return nil
	})
	switch services.KindOf(err) {
	case "":
	case services.Unavailable:
		a.Log.Warn("a session is not written", "user", s.User, "err", err)
	default:
		return "", Subject{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	subject, ok := a.holder(s)
	if !ok {
		return "", Subject{}, errWrong()
	}
	return secret, subject, nil
}

func errWrong() error {
	return services.Errorf(services.Forbidden, "the name or the password is wrong")
}

// crowd ends the oldest of some sessions where there are more than that many.
func (b *book) crowd(of func(session) bool, most int) {
	list := b.newest(of)
	for _, s := range list[min(len(list), most):] {
		delete(b.sessions, s.Hash)
	}
}

// cut bounds what a browser says of itself.
func cut(agent string) string {
	agent = strings.ToValidUTF8(agent, "")
	if r := []rune(agent); len(r) > 200 {
		return string(r[:200])
	}
	return agent
}

// over reports whether a session has ended by itself.
func (s session) over(now, seen time.Time) bool {
	last := s.Seen.Time
	if seen.After(last) {
		last = seen
	}
	return !now.Before(s.Ends.Time) || now.Sub(last) >= idle
}

// holder returns whose session it is. a.mu is held.
func (a *Access) holder(s session) (Subject, bool) {
	out := Subject{Name: s.User, Role: s.Role, Via: ViaSession, Ends: s.Ends.Time, credential: s.Hash}
	if s.Link {
		return out, true
	}
	u, ok := a.book.users[s.User]
	out.Role, out.Servers = u.Role, u.Servers
	return out, ok
}

// Session returns who shows a session; false where it has ended. local says
// that the kernel knows the other end to be a process of the manager's user.
func (a *Access) Session(secret string, local bool) (Subject, bool) {
	now := time.Now()
	hash := hashOf(secret)
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.book.sessions[hash]
	if !ok || s.Local && !local || s.over(now, a.seen[hash]) {
		return Subject{}, false
	}
	subject, ok := a.holder(s)
	if !ok {
		return Subject{}, false
	}
	a.note(hash, s.Seen.Time, now)
	if rest := now.Add(idle); rest.Before(subject.Ends) {
		subject.Ends = rest
	}
	return subject, true
}

// SignOut ends the session that somebody shows.
func (a *Access) SignOut(ctx context.Context, secret string) error {
	return a.change(ctx, true, func(b *book) error {
		delete(b.sessions, hashOf(secret))
		return nil
	})
}

// Sessions lists every session, the newest first.
func (a *Access) Sessions(context.Context) ([]services.Session, error) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	list := []services.Session{}
	for _, s := range a.book.newest(func(session) bool { return true }) {
		seen := a.seen[s.Hash]
		holder, ok := a.holder(s)
		if !ok || s.over(now, seen) {
			continue
		}
		s.Role = holder.Role
		if seen.After(s.Seen.Time) {
			s.Seen = services.Time{Time: seen}
		}
		list = append(list, s.Session)
	}
	return list, nil
}

// RevokeSession ends a session by its id. NotFound.
func (a *Access) RevokeSession(ctx context.Context, id string) error {
	return a.change(ctx, true, func(b *book) error {
		for hash, s := range b.sessions {
			if s.ID == id {
				delete(b.sessions, hash)
				return nil
			}
		}
		return errUnknown("session", id)
	})
}

const (
	linkLife  = 5 * time.Minute
	mostLinks = 16
)

// link signs a browser in, once.
type link struct {
	by   string
	ends time.Time
}

// NewLink makes a key that signs one browser in as admin, soon.
func (a *Access) NewLink(_ context.Context, by string) (key string, ends time.Time, err error) {
	now := time.Now()
	key = newSecret()
	one := link{by: by, ends: now.Add(linkLife)}
	a.mu.Lock()
	defer a.mu.Unlock()
	oldest := ""
	for hash, l := range a.links {
		if !now.Before(l.ends) {
			delete(a.links, hash)
		} else if oldest == "" || l.ends.Before(a.links[oldest].ends) {
			oldest = hash
		}
	}
	if len(a.links) >= mostLinks {
		delete(a.links, oldest)
	}
	a.links[hashOf(key)] = one
	return key, one.ends, nil
}

// Redeem begins the session of a link, which is then used up. Forbidden.
func (a *Access) Redeem(ctx context.Context, key string, from Origin) (secret string, s Subject, err error) {
	hash := hashOf(key)
	a.mu.Lock()
	l, ok := a.links[hash]
	delete(a.links, hash)
	a.mu.Unlock()
	if !ok || !time.Now().Before(l.ends) {
		return "", s, services.Errorf(services.Forbidden, "this link was used or is too old: `tend open` makes another one")
	}
	return a.begin(ctx, session{Session: services.Session{User: l.by, Role: services.Admin}, Link: true}, from, func(*book) bool { return true })
}
