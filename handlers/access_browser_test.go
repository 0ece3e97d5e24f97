package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"tend/handlers/browsertest"
	"tend/services"
	"tend/services/access"
)

// withAccess makes a site that people sign in to. Nobody is known before.
func withAccess(t *testing.T) (*site, *access.Access) {
	t.Helper()
	a, damage := access.Open(access.Options{Store: new(vault), Log: slog.New(slog.DiscardHandler)})
	if damage != "" {
		t.Fatal(damage)
	}
	for name, role := range map[string]services.Role{"vera": services.Viewer, "oscar": services.Operator, "ada": services.Admin} {
		if err := a.AddUser(t.Context(), services.User{Name: name, Role: role}, "correct horse"); err != nil {
			t.Fatal(err)
		}
	}
	return newSite(t, func(s *site) { s.as, s.access = access.Subject{}, a }), a
}

func signInAs(tab *browsertest.Tab, name string) {
	fillIn(tab, "#sign-name", name)
	fillIn(tab, "#sign-password", "correct horse")
	tab.Click("#sign-in")
}

func fillIn(tab *browsertest.Tab, selector, text string) {
	tab.Click(selector)
	tab.Press(text)
}

func at(path string) string { return fmt.Sprintf("location.pathname === %q", path) }

const offered = `[...document.querySelectorAll("main button, main form")].filter((e) => e.checkVisibility() && ("order" in e.dataset || e.closest("form")?.method === "post")).length`

func signsIn(t *testing.T, b *browsertest.Browser) {
	s, a := withAccess(t)
	for _, scripts := range []bool{true, false} {
		var options []browsertest.Option
		if !scripts {
			options = append(options, browsertest.WithoutScripts())
		}
		tab := b.Open(t, options...)
		tab.Go(s.URL + "/timeline")
		signInAs(tab, "vera")
		tab.Wait(`document.readyState === "complete" && document.querySelector("#sign-out") !== null`)
		if !browsertest.Eval[bool](tab, at("/timeline")) {
			t.Error("it is not where it wanted to be")
		}
		tab.Click("#sign-out")
		tab.Wait(at("/login"))
	}
	if list, _ := a.Sessions(context.Background()); len(list) > 0 {
		t.Errorf("still signed in: %v", list)
	}
}

// What may not be done is not offered, also after it was pushed.
func viewersOnlyLook(t *testing.T, b *browsertest.Browser) {
	s, a := withAccess(t)
	tab := b.Open(t)
	tab.Go(s.URL + "/")
	signInAs(tab, "vera")
	tab.Wait(live)
	s.start("web")
	tab.Wait(says("#server-web", "running"))
	for _, path := range []string{"/", "/servers/web", "/servers/web/processes", "/config", "/graph"} {
		tab.Go(s.URL + path)
		if n := browsertest.Eval[int](tab, offered); n > 0 {
			t.Errorf("%s offers %d things to a viewer", path, n)
		}
	}
	tab.Go(s.URL + "/")
	tab.Wait(live)
	before := len(s.Orders())
	tab.Press("r")
	role := services.Operator
	if err := a.ChangeUser(context.Background(), "vera", services.UserChange{Role: &role}); err != nil {
		t.Fatal(err)
	}
	tab.Go(s.URL + "/")
	tab.Wait(live)
	if n := browsertest.Eval[int](tab, offered); n == 0 {
		t.Error("an operator is offered nothing")
	}
	if len(s.Orders()) != before {
		t.Errorf("a viewer did %v", s.Orders()[before:])
	}
}

// Whoever is signed out sees nothing more, and is asked to sign in again.
func revokedPageAsks(t *testing.T, b *browsertest.Browser) {
	s, a := withAccess(t)
	tab := b.Open(t)
	tab.Go(s.URL + "/")
	signInAs(tab, "oscar")
	tab.Wait(live)
	list, _ := a.Sessions(context.Background())
	if err := a.RevokeSession(context.Background(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	tab.Wait(`document.querySelector("#sign-password") !== null`)
	signInAs(tab, "oscar")
	tab.Wait(live)
}

// Whoever sees some servers is pushed nothing, and is kept up to date all the same.
func limitedPagePolls(t *testing.T, b *browsertest.Browser) {
	s, a := withAccess(t)
	if err := a.AddUser(t.Context(), services.User{Name: "lea", Role: services.Operator, Servers: []string{"web"}}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	tab := b.Open(t)
	tab.Go(s.URL + "/")
	signInAs(tab, "lea")
	tab.Wait(says("#link", "every 5 s"))
	if n := browsertest.Eval[int](tab, `document.querySelectorAll(".row").length`); n != 1 {
		t.Errorf("%d rows", n)
	}
	s.start("web", "db")
	tab.Wait(says("#server-web", "running"))
	if text := browsertest.Eval[string](tab, `document.body.innerText`); strings.Contains(text, "db") {
		t.Errorf("it shows the others: %s", text)
	}
}

func adminsManageAccess(t *testing.T, b *browsertest.Browser) {
	s, a := withAccess(t)
	tab := b.Open(t)
	tab.Go(s.URL + "/access")
	signInAs(tab, "ada")
	tab.Wait(says("h1", "Access"))
	fillIn(tab, "#token-name", "ci")
	tab.Click("#token-add")
	tab.Wait(`document.querySelector(".secret") !== null`)
	secret := browsertest.Eval[string](tab, `document.querySelector(".secret").innerText.trim()`)
	if who, err := a.Token(secret); err != nil || who.Role != services.Viewer {
		t.Errorf("%q: %+v, %v", secret, who, err)
	}
	tab.Go(s.URL + "/access")
	if text := browsertest.Eval[string](tab, `document.documentElement.outerHTML`); strings.Contains(text, secret) {
		t.Error("the token is shown again")
	}
	tab.Click("#revoke-ci")
	tab.Wait(says("#main", "No program has a token"))
	fillIn(tab, "#user-name", "eve")
	fillIn(tab, "#user-password", "correct horse")
	tab.Click("#user-add")
	tab.Wait(`document.querySelector("#remove-eve") !== null`)
	tab.Click("#remove-eve")
	tab.Wait(`document.querySelector("#remove-eve") === null`)
	if users, _ := a.Users(context.Background()); len(users) != 3 {
		t.Errorf("users: %v", fmt.Sprint(users))
	}
}
