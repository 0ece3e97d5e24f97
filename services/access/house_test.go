package access

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tend/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cheap is a hash that tests can afford.
var cheap = cost{memory: 8, passes: 1, threads: 1}

// file is a Store in memory.
type file struct {
	mu    sync.Mutex // guards what follows
	data  []byte
	full  bool
	aside error
}

func (f *file) Read() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.data, nil
}

func (f *file) Write(data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return errors.New("no space left on device")
	}
	f.data = data
	return nil
}

func (f *file) SetAside(why error) string {
	f.aside, f.data = why, nil
	return "access.json was set aside"
}

func (f *file) fill(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

func open(t *testing.T, f *file) *Access {
	t.Helper()
	a, damage := Open(Options{Store: f, Log: slog.New(slog.DiscardHandler), cost: cheap})
	if damage != "" {
		t.Fatal(damage)
	}
	return a
}

func (a *Access) mustAdd(t *testing.T, name string, role services.Role, servers ...string) {
	t.Helper()
	if err := a.AddUser(t.Context(), services.User{Name: name, Role: role, Servers: servers}, "correct horse"); err != nil {
		t.Fatal(err)
	}
}

func (a *Access) mustToken(t *testing.T, name string, role services.Role, life time.Duration, servers ...string) string {
	t.Helper()
	secret, err := a.AddToken(t.Context(), services.Token{Name: name, Role: role, Servers: servers, Expires: services.Time{Time: time.Now().Add(life)}})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

var home = Origin{Address: "127.0.0.1", Agent: "a browser"}

func (a *Access) mustSignIn(t *testing.T, name string, from Origin) string {
	t.Helper()
	secret, _, err := a.SignIn(t.Context(), name, "correct horse", from)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}
