package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tend/services"
)

// version is that of the files we write.
const version = 1

// document is the content of the file.
type document struct {
	Version  int       `json:"version"`
	Users    []user    `json:"users"`
	Tokens   []token   `json:"tokens"`
	Sessions []session `json:"sessions"`
}

type user struct {
	services.User
	Hash string `json:"password"`
}

type token struct {
	services.Token
	Hash string `json:"hash"`
}

type session struct {
	services.Session
	Hash  string `json:"hash"`
	Link  bool   `json:"link,omitempty"`  // begun by a link: Role is its own, and User is who asked for the link
	Local bool   `json:"local,omitempty"` // begun by a process of the manager's user: good for those alone
}

// book is who may come in. One that is in force is never changed.
type book struct {
	users    map[string]user    // by name
	tokens   map[string]token   // by hash
	sessions map[string]session // by hash
}

func (b book) clone() book {
	return book{maps.Clone(b.users), maps.Clone(b.tokens), maps.Clone(b.sessions)}
}

// decode reads a file. It refuses one of which any part cannot be right: a
// wrong guess would let somebody in.
func decode(data []byte) (book, error) {
	b := book{users: map[string]user{}, tokens: map[string]token{}, sessions: map[string]session{}}
	if data == nil {
		return b, nil
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return book{}, err
	}
	switch {
	case doc.Version > version:
		return book{}, fmt.Errorf("it is of version %d, from a newer tend, and this one reads up to %d", doc.Version, version)
	case doc.Version != version:
		return book{}, fmt.Errorf("version %d never existed", doc.Version)
	}
	names := map[string]bool{}
	for _, u := range doc.Users {
		if _, twice := b.users[u.Name]; twice {
			return book{}, fmt.Errorf("user %q is in it twice", u.Name)
		}
		if _, _, _, err := parse(u.Hash); err != nil {
			return book{}, fmt.Errorf("user %q: %w", u.Name, err)
		}
		if err := checkAccount(u.Name, u.Role, u.Servers); err != nil {
			return book{}, fmt.Errorf("user %q: %w", u.Name, err)
		}
		b.users[u.Name] = u
	}
	for _, t := range doc.Tokens {
		if err := checkAccount(t.Name, t.Role, t.Servers); err != nil {
			return book{}, fmt.Errorf("token %q: %w", t.Name, err)
		}
		if names[t.Name] || !isHash(t.Hash) || t.Expires.IsZero() {
			return book{}, fmt.Errorf("token %q is in it twice, or has no hash or no end", t.Name)
		}
		names[t.Name], b.tokens[t.Hash] = true, t
	}
	for _, s := range doc.Sessions {
		switch {
		case !isHash(s.Hash) || s.ID != s.Hash[:idSize] || s.Ends.IsZero() || s.Began.IsZero():
			return book{}, errors.New("a session in it is damaged")
		case s.Link && !slices.Contains(services.Roles, s.Role):
			return book{}, fmt.Errorf("a session in it has the role %q, which does not exist", s.Role)
		}
		b.sessions[s.Hash] = s
	}
	return b, nil
}

func (b book) encode() ([]byte, error) {
	doc := document{
		Version:  version,
		Users:    slices.SortedFunc(maps.Values(b.users), func(x, y user) int { return strings.Compare(x.Name, y.Name) }),
		Tokens:   slices.SortedFunc(maps.Values(b.tokens), func(x, y token) int { return strings.Compare(x.Name, y.Name) }),
		Sessions: slices.SortedFunc(maps.Values(b.sessions), func(x, y session) int { return x.Began.Compare(y.Began.Time) }),
	}
	text, err := json.MarshalIndent(doc, "", " ")
	return append(text, '\n'), err
}

// checkAccount refuses what no user and no token can be. Invalid.
func checkAccount(name string, role services.Role, servers []string) error {
	switch {
	case !services.ValidAccount(name):
		return services.Errorf(services.Invalid, "%.80q cannot be a name here: use up to 63 letters, digits and . _ @ -, and begin with a letter or a digit", name)
	case !slices.Contains(services.Roles, role):
		return services.Errorf(services.Invalid, "role wants viewer, operator or admin, not %.40q", string(role))
	case len(servers) > 0 && role == services.Admin:
		return services.Errorf(services.Invalid, "an admin sees all servers: leave out the list of servers, or choose the role viewer or operator")
	}
	for _, server := range servers {
		if !services.ValidName(server) {
			return services.Errorf(services.Invalid, "%.80q is not the name of a server", server)
		}
	}
	return nil
}

// tokenNamed returns the token of a name.
func (b book) tokenNamed(name string) (token, bool) {
	for _, t := range b.tokens {
		if t.Name == name {
			return t, true
		}
	}
	return token{}, false
}

// signOut ends every session of a user.
func (b book) signOut(name string) {
	maps.DeleteFunc(b.sessions, func(_ string, s session) bool { return !s.Link && s.User == name })
}
