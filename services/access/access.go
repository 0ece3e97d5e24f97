package access

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"tend/services"
)

const (
	lifetime = 7 * 24 * time.Hour // of a session at the most
	idle     = 24 * time.Hour     // after which a session that is not used has ended
	seenPace = time.Minute        // how often it is written when something was last used

	mostAccounts = 1000 // users, and tokens
	mostSessions = 500
	mostBegun    = 20 // sessions of one user
)

// Store keeps one file.
type Store interface {
	Read() ([]byte, error) // nil where there is none
	Write(data []byte) error
	SetAside(why error) string // says what has become of it
}

// Options says where the file is.
type Options struct {
	Store Store
	Log   *slog.Logger

	cost cost // of a hash; the usual one where it is not set
}

// Access decides who comes in. Use Open. Everybody may call its methods, and
// it works without Run: then it is only written later when something was used.
type Access struct {
	Options
	hasher   *hasher
	throttle *throttle
	pen      chan struct{} // held by whoever replaces the book
	used     chan struct{} // something was used that is to be written

	mu    sync.Mutex // guards what follows
	book  book
	seen  map[string]time.Time // when a token or a session was last used, by its hash
	links map[string]link      // by hash
	holds map[*hold]struct{}
}

// Open reads who may come in. A file that is damaged is set aside, and damage
// says so: then nobody has an account.
func Open(o Options) (a *Access, damage string) {
	if o.cost == (cost{}) {
		o.cost = usual
	}
	a = &Access{
		Options: o, hasher: newHasher(o.cost), throttle: newThrottle(), pen: make(chan struct{}, 1), used: make(chan struct{}, 1),
		seen: map[string]time.Time{}, links: map[string]link{}, holds: map[*hold]struct{}{},
	}
	data, err := o.Store.Read()
	if err == nil {
		a.book, err = decode(data)
	}
	if err != nil {
		damage = o.Store.SetAside(err) + ": nobody can sign in any more but who runs tend, until users and tokens are added again"
		a.book, _ = decode(nil) //nolint:errcheck // nothing is no error
	}
	return a, damage
}

// Empty reports whether nobody could come in from elsewhere.
func (a *Access) Empty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.book.users)+len(a.book.tokens) == 0
}

// Run writes when tokens and sessions were last used, until ctx ends.
func (a *Access) Run(ctx context.Context) error {
	for {
		select {
		case <-a.used:
		case <-ctx.Done():
			return nil
		}
		select {
		case <-time.After(seenPace):
		case <-ctx.Done():
		}
		if err := a.change(context.Background(), true, func(*book) error { return nil }); err != nil {
			a.Log.Warn("when tokens and sessions were last used is not written", "err", err)
		}
	}
}

// change replaces the book by one that was edited, and writes it. What only
// takes away is in force at once, whatever becomes of the file. Unavailable
// where it cannot be written.
func (a *Access) change(ctx context.Context, takes bool, edit func(*book) error) error {
	select {
	case a.pen <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.pen }()
	next := a.next()
	if err := edit(&next); err != nil {
		return err
	}
	if takes {
		a.use(next)
	}
	data, err := next.encode()
	if err == nil {
		err = a.Store.Write(data)
	}
	if err != nil {
		return unwritten(takes, err)
	}
	if !takes {
		a.use(next)
	}
	return nil
}

func unwritten(takes bool, err error) error {
	said := "the list of users, tokens and sessions cannot be written: nothing was changed"
	if takes {
		said = "the list of users, tokens and sessions cannot be written: what was changed holds until tend ends"
	}
	return &services.Error{Kind: services.Unavailable, Msg: said, Err: err}
}

// next copies the book, with what is known of when things were used and
// without the sessions that have ended.
func (a *Access) next() book {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	next := a.book.clone()
	for hash, t := range next.tokens {
		if at := a.seen[hash]; at.After(t.Used.Time) {
			t.Used = services.Time{Time: at}
			next.tokens[hash] = t
		}
	}
	for hash, s := range next.sessions {
		if s.over(now, a.seen[hash]) {
			delete(next.sessions, hash)
		} else if at := a.seen[hash]; at.After(s.Seen.Time) {
			s.Seen = services.Time{Time: at}
			next.sessions[hash] = s
		}
	}
	return next
}

// use puts a book in force, and ends whatever hangs on what it no longer has.
func (a *Access) use(next book) {
	var ended []*hold
	a.mu.Lock()
	a.book = next
	maps.DeleteFunc(a.seen, func(hash string, _ time.Time) bool {
		_, token := next.tokens[hash]
		_, session := next.sessions[hash]
		return !token && !session
	})
	for h := range a.holds {
		if !a.stands(h.subject) {
			ended = append(ended, h)
			delete(a.holds, h)
		}
	}
	a.mu.Unlock()
	for _, h := range ended {
		h.end()
	}
}

// hold is something that lasts as long as what a subject came in by.
type hold struct {
	subject Subject
	end     func()
}

// Hold calls end once the subject may no longer what it may now: its token was
// revoked, its session ended, its user changed. That may be at once. It does
// not watch the clock: see Subject.Ends. Call release when it is over.
func (a *Access) Hold(s Subject, end func()) (release func()) {
	if s.credential == "" {
		return func() {}
	}
	h := &hold{s, end}
	a.mu.Lock()
	stands := a.stands(s)
	if stands {
		a.holds[h] = struct{}{}
	}
	a.mu.Unlock()
	if !stands {
		end()
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.holds, h)
	}
}

// stands reports whether a subject may still what it may. a.mu is held.
func (a *Access) stands(s Subject) bool {
	var now Subject
	if t, ok := a.book.tokens[s.credential]; ok {
		now = t.subject()
	} else if one, ok := a.book.sessions[s.credential]; ok {
		now, ok = a.holder(one)
		if !ok {
			return false
		}
	}
	return now.credential == s.credential && now.Role == s.Role && slices.Equal(now.Servers, s.Servers)
}

// note notes that something was used. a.mu is held.
func (a *Access) note(hash string, written, now time.Time) {
	a.seen[hash] = now
	if now.Sub(written) >= seenPace {
		select {
		case a.used <- struct{}{}:
		default: // it is going to be written
		}
	}
}

// errUnknown is what a lookup fails with where there is no such thing.
func errUnknown(what, name string) error {
	return services.Errorf(services.NotFound, "there is no %s %.80q", what, name)
}
