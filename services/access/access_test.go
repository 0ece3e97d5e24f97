package access

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestATokenIsGoodForWhatItWasMadeForUntilItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, &file{})
		secret := a.mustToken(t, "ci", services.Operator, time.Hour, "web", "db", "web")
		if !strings.HasPrefix(secret, TokenPrefix) || len(secret) != len(TokenPrefix)+43 {
			t.Errorf("the token is %q", secret)
		}
		s, err := a.Token(secret)
		if err != nil || s.Name != "token ci" || s.Role != services.Operator || s.Via != ViaToken || !s.Sees("web") || s.Sees("api") || !s.Limited() {
			t.Errorf("%+v, %v", s, err)
		}
		for _, wrong := range []string{"", secret + "x", secret[:len(secret)-1], TokenPrefix} {
			if _, err := a.Token(wrong); services.KindOf(err) != services.Forbidden {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		time.Sleep(time.Hour - 1)
		if _, err := a.Token(secret); err != nil {
			t.Errorf("before its end: %v", err)
		}
		time.Sleep(1)
		if _, err := a.Token(secret); services.KindOf(err) != services.Forbidden || !strings.Contains(err.Error(), "expired") {
			t.Errorf("after its end: %v", err)
		}
		if list, _ := a.Tokens(t.Context()); len(list) != 1 || list[0].Used.IsZero() {
			t.Errorf("listed %+v", list)
		}
	})
}

func TestASessionEndsWhenItIsNotUsedAndAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, &file{})
		a.mustAdd(t, "alice", services.Operator)
		used, left := a.mustSignIn(t, "alice", home), a.mustSignIn(t, "alice", home)
		for range 7*24/20 + 1 {
			time.Sleep(20 * time.Hour)
			s, ok := a.Session(used, false)
			if begun := 20 * time.Hour; ok && time.Until(s.Ends) > idle {
				t.Errorf("a stream of it may last until %v, after %v", s.Ends, begun)
			}
		}
		if _, ok := a.Session(left, false); ok {
			t.Error("what was not used for days is still good")
		}
		if _, ok := a.Session(used, false); ok {
			t.Error("a session lasts for ever where it is used")
		}
		if list, _ := a.Sessions(t.Context()); len(list) != 0 {
			t.Errorf("listed %+v", list)
		}
	})
}

func TestWhatIsInForceSurvivesTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &file{}
		a := open(t, f)
		a.mustAdd(t, "alice", services.Operator, "web")
		secret, session := a.mustToken(t, "ci", services.Viewer, time.Hour), a.mustSignIn(t, "alice", home)
		text := string(f.data)
		for _, part := range []string{secret, secret[len(TokenPrefix):], session, "correct horse"} {
			if strings.Contains(text, part) {
				t.Errorf("the file holds the secret %s", part)
			}
		}
		b := open(t, f)
		if s, err := b.Token(secret); err != nil || s.Role != services.Viewer {
			t.Errorf("the token: %+v, %v", s, err)
		}
		if s, ok := b.Session(session, false); !ok || s.Name != "alice" || s.Role != services.Operator || !s.Limited() {
			t.Errorf("the session: %+v, %v", s, ok)
		}
		if _, _, err := b.SignIn(t.Context(), "alice", "correct horse", home); err != nil {
			t.Errorf("the password: %v", err)
		}
	})
}

func TestWhenSomethingWasLastUsedIsWrittenNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &file{}
		a := open(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		secret := a.mustToken(t, "ci", services.Viewer, 24*time.Hour)
		before := string(f.data)
		a.Token(secret)
		time.Sleep(seenPace + time.Second)
		synctest.Wait()
		first := string(f.data)
		if first == before {
			t.Error("it is not written")
		}
		a.Token(secret)
		cancel()
		<-done
		if list, _ := open(t, f).Tokens(t.Context()); list[0].Used.IsZero() {
			t.Errorf("%+v", list)
		}
	})
}

func TestAFileThatIsDamagedLetsNobodyIn(t *testing.T) {
	f := &file{}
	a := open(t, f)
	a.mustAdd(t, "alice", services.Admin)
	secret := a.mustToken(t, "ci", services.Admin, time.Hour)
	whole := string(f.data)
	for name, text := range map[string]string{
		"empty": "", "torn": whole[:len(whole)/2], "no JSON": "hello", "from a newer tend": `{"version":2}`, "of no version": `{}`,
		"an unknown role":      strings.Replace(whole, `"admin"`, `"root"`, 1),
		"a user twice":         strings.Replace(whole, `"users": [`, `"users": [`+`{"name":"alice","role":"viewer","password":"`+a.book.users["alice"].Hash+`"},`, 1),
		"a hash that is none":  strings.Replace(whole, "$argon2id$", "$plain$", 1),
		"a hash that eats all": strings.Replace(whole, "m=8,", "m=99999999,", 1),
		"a name that is none":  strings.Replace(whole, `"alice"`, `"../alice"`, 1),
		"a token without hash": strings.Replace(whole, `"hash": "`, `"hash": "z`, 1),
	} {
		f := &file{data: []byte(text)}
		b, damage := Open(Options{Store: f, Log: slog.New(slog.DiscardHandler), cost: cheap})
		if damage == "" || f.aside == nil {
			t.Errorf("%s: nobody is told (%v)", name, f.aside)
		}
		if _, err := b.Token(secret); err == nil || !b.Empty() {
			t.Errorf("%s: it lets somebody in", name)
		}
		if err := b.AddUser(t.Context(), services.User{Name: "bob", Role: services.Viewer}, "correct horse"); err != nil {
			t.Errorf("%s: nobody can be added: %v", name, err)
		}
	}
}

func TestWhatKeepsOutHoldsAlsoOnAFullDiskAndWhatLetsInDoesNot(t *testing.T) {
	f := &file{}
	a := open(t, f)
	a.mustAdd(t, "alice", services.Viewer)
	secret := a.mustToken(t, "ci", services.Viewer, time.Hour)
	f.fill(true)
	if err := a.RevokeToken(t.Context(), "ci"); services.KindOf(err) != services.Unavailable || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("revoke: %v", err)
	}
	if _, err := a.Token(secret); err == nil {
		t.Error("a token that was revoked is good because the disk is full")
	}
	if err := a.AddUser(t.Context(), services.User{Name: "bob", Role: services.Admin}, "correct horse"); services.KindOf(err) != services.Unavailable {
		t.Errorf("add: %v", err)
	}
	if list, _ := a.Users(t.Context()); len(list) != 1 {
		t.Errorf("users %v", list)
	}
	session := a.mustSignIn(t, "alice", home) // to free the disk
	if _, ok := a.Session(session, false); !ok {
		t.Error("a full disk keeps people out")
	}
}

func TestWhateverTakesRightsAwayEndsWhatWasBegunWithThem(t *testing.T) {
	operator, none, web := services.Operator, []string{}, []string{"web"}
	word := "another horse"
	for name, c := range map[string]struct {
		do   func(a *Access) error
		ends string // of token, session and the session of another user
	}{
		"a token is revoked": {func(a *Access) error { return a.RevokeToken(context.Background(), "ci") }, "token"},
		"a user is removed":  {func(a *Access) error { return a.RemoveUser(context.Background(), "alice") }, "session"},
		"a user gets another role": {func(a *Access) error {
			return a.ChangeUser(context.Background(), "alice", services.UserChange{Role: &operator})
		}, "session"},
		"a user sees less": {func(a *Access) error {
			return a.ChangeUser(context.Background(), "alice", services.UserChange{Servers: &web})
		}, "session"},
		"a user gets a password": {func(a *Access) error {
			return a.ChangeUser(context.Background(), "alice", services.UserChange{Password: &word})
		}, "session"},
		"nothing changes at a user": {func(a *Access) error {
			return a.ChangeUser(context.Background(), "alice", services.UserChange{Servers: &none})
		}, ""},
		"a session is revoked": {func(a *Access) error {
			list, _ := a.Sessions(context.Background())
			for _, s := range list {
				if s.User == "alice" {
					return a.RevokeSession(context.Background(), s.ID)
				}
			}
			return errors.New("not listed")
		}, "session"},
	} {
		t.Run(name, func(t *testing.T) {
			a := open(t, &file{})
			a.mustAdd(t, "alice", services.Viewer)
			a.mustAdd(t, "bob", services.Viewer)
			byToken, _ := a.Token(a.mustToken(t, "ci", services.Viewer, time.Hour))
			bySession, _ := a.Session(a.mustSignIn(t, "alice", home), false)
			other, _ := a.Session(a.mustSignIn(t, "bob", home), false)
			ended := map[string]bool{}
			hold := func(what string, s Subject) func() { return a.Hold(s, func() { ended[what] = true }) }
			hold("token", byToken)
			hold("session", bySession)
			hold("other", other)
			release := hold("released", byToken)
			release()
			if len(ended) > 0 {
				t.Fatalf("ended at once: %v", ended)
			}
			if err := c.do(a); err != nil {
				t.Fatal(err)
			}
			want := map[string]bool{}
			if c.ends != "" {
				want[c.ends] = true
			}
			if !reflect.DeepEqual(ended, want) {
				t.Errorf("ended %v, want %v", ended, want)
			}
			late := false // what was looked up before and begins after that
			a.Hold(byToken, func() { late = true })()
			if late != want["token"] {
				t.Errorf("begun late: %v", late)
			}
		})
	}
}

func TestALinkSignsInOnceAndSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, &file{})
		key, ends, err := a.NewLink(t.Context(), "cli root (uid 0)")
		if err != nil || time.Until(ends) != linkLife {
			t.Fatal(ends, err)
		}
		secret, s, err := a.Redeem(t.Context(), key, Origin{Address: "127.0.0.1", Local: true})
		if err != nil || s.Role != services.Admin || s.Name != "cli root (uid 0)" {
			t.Fatalf("%+v, %v", s, err)
		}
		if _, ok := a.Session(secret, true); !ok {
			t.Error("the session is not good")
		}
		if _, ok := a.Session(secret, false); ok {
			t.Error("what a local process began is good for others: a page on another port sees the cookie, too")
		}
		if _, _, err := a.Redeem(t.Context(), key, home); services.KindOf(err) != services.Forbidden {
			t.Errorf("twice: %v", err)
		}
		late, _, _ := a.NewLink(t.Context(), "x")
		time.Sleep(linkLife)
		if _, _, err := a.Redeem(t.Context(), late, home); services.KindOf(err) != services.Forbidden {
			t.Errorf("late: %v", err)
		}
		first, _, _ := a.NewLink(t.Context(), "x")
		for range mostLinks {
			time.Sleep(time.Second)
			a.NewLink(t.Context(), "x")
		}
		if _, _, err := a.Redeem(t.Context(), first, home); err == nil || len(a.links) > mostLinks {
			t.Errorf("there are %d links: %v", len(a.links), err)
		}
	})
}

func TestOfTooManySessionsTheOldestGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, &file{})
		a.mustAdd(t, "alice", services.Viewer)
		a.mustAdd(t, "bob", services.Viewer)
		bob, first := a.mustSignIn(t, "bob", home), a.mustSignIn(t, "alice", home)
		for range mostBegun {
			time.Sleep(time.Second)
			a.mustSignIn(t, "alice", home)
		}
		if _, ok := a.Session(first, false); ok {
			t.Error("the oldest is still good")
		}
		if _, ok := a.Session(bob, false); !ok {
			t.Error("somebody else's is gone")
		}
	})
}

func TestWhatMakesNoSenseIsRefused(t *testing.T) {
	a := open(t, &file{})
	a.mustAdd(t, "alice", services.Viewer)
	a.mustToken(t, "ci", services.Viewer, time.Hour)
	ctx, soon := t.Context(), services.Time{Time: time.Now().Add(time.Hour)}
	root, admin, servers, short := services.Role("root"), services.Admin, []string{"web"}, "short"
	addToken := func(t services.Token) error { _, err := a.AddToken(ctx, t); return err }
	for name, c := range map[string]struct {
		err  error
		kind services.Kind
	}{
		"a user twice":          {a.AddUser(ctx, services.User{Name: "alice", Role: services.Viewer}, "correct horse"), services.Conflict},
		"a short password":      {a.AddUser(ctx, services.User{Name: "bob", Role: services.Viewer}, "1234567"), services.Invalid},
		"a long password":       {a.AddUser(ctx, services.User{Name: "bob", Role: services.Viewer}, strings.Repeat("x", longest+1)), services.Invalid},
		"no role":               {a.AddUser(ctx, services.User{Name: "bob"}, "correct horse"), services.Invalid},
		"no name":               {a.AddUser(ctx, services.User{Role: services.Viewer}, "correct horse"), services.Invalid},
		"a limited admin":       {a.AddUser(ctx, services.User{Name: "bob", Role: services.Admin, Servers: servers}, "correct horse"), services.Invalid},
		"a server that is none": {a.AddUser(ctx, services.User{Name: "bob", Role: services.Viewer, Servers: []string{"../x"}}, "correct horse"), services.Invalid},
		"another role":          {a.ChangeUser(ctx, "alice", services.UserChange{Role: &root}), services.Invalid},
		"an admin of some":      {a.ChangeUser(ctx, "alice", services.UserChange{Role: &admin, Servers: &servers}), services.Invalid},
		"a new short password":  {a.ChangeUser(ctx, "alice", services.UserChange{Password: &short}), services.Invalid},
		"nobody changes":        {a.ChangeUser(ctx, "nobody", services.UserChange{}), services.NotFound},
		"nobody goes":           {a.RemoveUser(ctx, "nobody"), services.NotFound},
		"a token twice":         {addToken(services.Token{Name: "ci", Role: services.Viewer, Expires: soon}), services.Conflict},
		"a token for ever":      {addToken(services.Token{Name: "x", Role: services.Viewer}), services.Invalid},
		"a token of yesterday":  {addToken(services.Token{Name: "x", Role: services.Viewer, Expires: services.Time{Time: time.Now().Add(-time.Hour)}}), services.Invalid},
		"a token for ages":      {addToken(services.Token{Name: "x", Role: services.Viewer, Expires: services.Time{Time: time.Now().Add(2 * longestToken)}}), services.Invalid},
		"no token":              {a.RevokeToken(ctx, "nobody"), services.NotFound},
		"no session":            {a.RevokeSession(ctx, "nobody"), services.NotFound},
	} {
		if services.KindOf(c.err) != c.kind {
			t.Errorf("%s: %v, want %s", name, c.err, c.kind)
		}
	}
	if users, _ := a.Users(ctx); len(users) != 1 || users[0].Role != services.Viewer || len(users[0].Servers) > 0 {
		t.Errorf("users %+v", users)
	}
}
