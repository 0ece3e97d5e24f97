package handlers

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// inn is the web application over TCP with guests, for strangers.
type inn struct {
	*app
	guests
	*httptest.Server
	browser *http.Client
	said    chan services.Event
}

func openInn(t *testing.T) *inn {
	t.Helper()
	i := &inn{guests: invite(t), said: make(chan services.Event, 100)}
	i.app = newApp(t, func(d *Deps) {
		d.Access, d.Report = i.guests.Access, func(e services.Event) { i.said <- e }
	})
	i.Server = httptest.NewUnstartedServer(i.whole)
	i.Server.Config.ConnContext = ConnContext(nil)
	i.Server.Start()
	t.Cleanup(i.Server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	i.browser = &http.Client{Jar: jar, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return i
}

func (i *inn) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	return i.do(t, "GET", path, nil)
}

func (i *inn) do(t *testing.T, method, path string, form url.Values) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, i.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	res, err := i.browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var text strings.Builder
	if _, err := copyTo(&text, res); err != nil {
		t.Fatal(err)
	}
	return res, text.String()
}

func (i *inn) heard(t *testing.T) services.Event {
	t.Helper()
	select {
	case e := <-i.said:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was written down")
		return services.Event{}
	}
}

func TestSomebodySignsInLooksRoundAndSignsOut(t *testing.T) {
	i := openInn(t)
	if res, text := i.get(t, "/graph?x=1"); res.StatusCode != 401 || !strings.Contains(text, `action="/login"`) || !strings.Contains(text, `value="/graph?x=1"`) || strings.Contains(text, "pid") {
		t.Errorf("a stranger: %d %s", res.StatusCode, text)
	}
	form := url.Values{"name": {"alice"}, "password": {"wrong horse"}, "next": {"/graph"}}
	if res, text := i.do(t, "POST", "/login", form); res.StatusCode != 401 || len(res.Cookies()) > 0 || !strings.Contains(text, "The name or the password is wrong") {
		t.Errorf("a wrong password: %d %v", res.StatusCode, res.Cookies())
	}
	if e := i.heard(t); e.Kind != services.EventAudit || e.Message != "sign in as alice: refused: the name or the password is wrong" || !strings.Contains(e.By, "127.0.0.1") {
		t.Errorf("written down: %+v", e)
	}
	form.Set("password", "correct horse")
	res, _ := i.do(t, "POST", "/login", form)
	if res.StatusCode != 303 || res.Header.Get("Location") != "/graph" || len(res.Cookies()) != 1 {
		t.Fatalf("signed in: %d %v", res.StatusCode, res.Header)
	}
	if c := res.Cookies()[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || !strings.HasPrefix(c.Name, "tend-session-") {
		t.Errorf("the cookie: %+v", c)
	}
	if e := i.heard(t); e.Message != "sign in as alice: done" || !strings.HasPrefix(e.By, "alice, ") {
		t.Errorf("written down: %+v", e)
	}
	if res, text := i.get(t, "/"); res.StatusCode != 200 || !strings.Contains(text, "alice") || !strings.Contains(text, `action="/logout"`) || strings.Contains(text, `href="/access"`) {
		t.Errorf("the list: %d", res.StatusCode)
	}
	if res, _ := i.do(t, "POST", "/servers/web/start", url.Values{}); res.StatusCode != 403 {
		t.Errorf("a viewer starts: %d", res.StatusCode)
	}
	if e := i.heard(t); !strings.HasPrefix(e.Message, "start web: refused: that takes the role operator") || !strings.HasPrefix(e.By, "alice, ") {
		t.Errorf("written down: %+v", e)
	}
	if res, _ := i.do(t, "POST", "/logout", url.Values{}); res.StatusCode != 303 || res.Cookies()[0].MaxAge >= 0 {
		t.Errorf("signed out: %d %v", res.StatusCode, res.Cookies())
	}
	if res, _ := i.get(t, "/"); res.StatusCode != 401 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
	i.untouched(t, "a viewer")
}

func TestASignInLeadsToNoOtherSite(t *testing.T) {
	for path, want := range map[string]string{
		"/graph": "/graph", "/logs?server=web": "/logs?server=web", "": "/", "http://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/",
		"evil": "/", "javascript:alert(1)": "/", "/login": "/", "/logout": "/", "/a\r\nX: y": "/", "\t//evil.example": "/",
	} {
		if got := inside(path); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
}

func TestWhoGuessesIsToldToWait(t *testing.T) {
	i := openInn(t)
	for range 5 {
		i.do(t, "POST", "/login", url.Values{"name": {"alice"}, "password": {"wrong"}})
	}
	res, text := i.do(t, "POST", "/login", url.Values{"name": {"alice"}, "password": {"correct horse"}})
	if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || !strings.Contains(text, "wrong too often") {
		t.Errorf("%d, %v: %s", res.StatusCode, res.Header, text)
	}
}

func TestALinkIsRedeemedByAFormAndNotByLookingAtIt(t *testing.T) {
	i := openInn(t)
	key, _, err := i.NewLink(t.Context(), "cli root")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // also by a program that looks at links
		if res, text := i.get(t, "/enter?key="+key); res.StatusCode != 200 || !strings.Contains(text, key) || len(res.Cookies()) > 0 {
			t.Errorf("looking: %d", res.StatusCode)
		}
	}
	for n, want := range []int{303, 403} {
		if res, _ := i.do(t, "POST", "/enter", url.Values{"key": {key}}); res.StatusCode != want {
			t.Errorf("time %d: %d", n+1, res.StatusCode)
		}
	}
	if res, text := i.get(t, "/access"); res.StatusCode != 200 || !strings.Contains(text, "cli root") {
		t.Errorf("as admin: %d", res.StatusCode)
	}
}

// Another user of the machine sees in the list of processes what a browser was
// started with.
func TestALinkIsNotForAnotherUserOfTheMachine(t *testing.T) {
	g := invite(t)
	a := newApp(t, func(d *Deps) { d.Access = g.Access })
	key, _, _ := g.NewLink(t.Context(), "cli root")
	enter := func(p peer) int {
		r := request("POST", "/enter", "key="+key)
		return a.serve(r.WithContext(context.WithValue(context.Background(), keyPeer, p))).Code
	}
	if code := enter(peer{known: true, uid: 4711, loopback: true}); code != 403 {
		t.Errorf("another user: %d", code)
	}
	if code := enter(ours); code != 303 {
		t.Errorf("then the owner: %d", code)
	}
}

// A cookie goes to every port of a host: whoever serves another port there can
// read it. What a local process began is no use to those.
func TestASessionOfThisMachineIsNoUseToItsOtherUsers(t *testing.T) {
	g := invite(t)
	a := newApp(t, func(d *Deps) { d.Access = g.Access })
	key, _, _ := g.NewLink(t.Context(), "cli root")
	r := request("POST", "/enter", "key="+key)
	cookie := a.serve(r.WithContext(context.WithValue(context.Background(), keyPeer, ours))).Result().Cookies()[0]
	for name, c := range map[string]struct {
		p    peer
		want int
	}{"its own": {ours, 200}, "another user": {peer{known: true, uid: 4711, loopback: true}, 401}, "another machine": {peer{}, 401}} {
		r := request("GET", "/access", "")
		r.AddCookie(cookie)
		if w := a.serve(r.WithContext(context.WithValue(context.Background(), keyPeer, c.p))); w.Code != c.want {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestWhatWasBegunEndsWithWhatItWasBegunBy(t *testing.T) {
	i := openInn(t)
	for name, c := range map[string]struct {
		end  func() error
		path string
	}{
		"events, when the token is revoked": {func() error { return i.RevokeToken(t.Context(), "viewer") }, "/api/events"},
		"a log, when the token is revoked":  {func() error { return i.RevokeToken(t.Context(), "operator") }, "/servers/web/log"},
	} {
		token := map[string]string{"/api/events": "viewer", "/servers/web/log": "operator"}[c.path]
		req, _ := http.NewRequestWithContext(t.Context(), "GET", i.URL+c.path, nil)
		req.Header.Set("Authorization", "Bearer "+i.tokens[token])
		res, err := i.browser.Do(req)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(name, res, err)
		}
		defer res.Body.Close()
		if err := c.end(); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		copyTo(&text, res)
		if res, err := i.browser.Do(req); err != nil || res.StatusCode != 401 {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
}

func TestARequestThatIsRevokedBeforeItsAnswerIsToldSo(t *testing.T) {
	i := openInn(t)
	for path, says := range map[string]string{"/": `action="/login"`, "/api/servers": "sign in again"} {
		w := httptest.NewRecorder()
		r := request("GET", path, "").WithContext(context.Background())
		r.Header.Set("Authorization", "Bearer "+i.tokens["viewer"])
		i.recognised(i.show(func(_ http.ResponseWriter, r *http.Request) error {
			if err := i.RevokeToken(t.Context(), "viewer"); err != nil {
				t.Error(err)
			}
			return r.Context().Err()
		})).ServeHTTP(w, r)
		if w.Code != 401 || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		i = openInn(t)
	}
}

func TestTheRecordIsNotFilledByThoseWhoAreRefused(t *testing.T) {
	var f refusals
	now := time.Now()
	for n := range 100 {
		if _, heard := f.hear(now); heard != (n < refusalsAMinute) {
			t.Fatalf("refusal %d: heard %v", n, heard)
		}
	}
	if left, heard := f.hear(now.Add(time.Minute)); !heard || left != 100-refusalsAMinute {
		t.Errorf("a minute later: %d, %v", left, heard)
	}
}

func TestTheRecordSaysWhoDidWhatAndHoldsNoSecret(t *testing.T) {
	i := openInn(t)
	as := func(token, method, path string, form url.Values) int {
		r := request(method, path, form.Encode())
		r = r.WithContext(context.Background())
		r.Header.Set("Authorization", "Bearer "+i.tokens[token])
		return i.serve(r).Code
	}
	as("operator", "POST", "/api/servers/web?action=start", nil)
	if e := i.heard(t); e.Message != "start web: done" || e.Server != "web" || e.By != "token operator, rest 192.0.2.1" {
		t.Errorf("%+v", e)
	}
	as("viewer", "POST", "/api/servers/nobody?action=start", nil)
	if e := i.heard(t); !strings.HasPrefix(e.Message, "start nobody: refused: that takes the role operator") || e.Server != "" {
		t.Errorf("%+v", e)
	}
	as("admin", "POST", "/api/access/users", url.Values{"name": {"bob"}, "role": {"viewer"}, "password": {"a secret of bob"}})
	if e := i.heard(t); e.Message != "add the user bob as viewer: done" {
		t.Errorf("%+v", e)
	}
	if code := as("admin", "POST", "/api/access/users?password=a+secret+of+bob", url.Values{"name": {"eve"}, "role": {"viewer"}}); code != 400 {
		t.Errorf("a password in an address: %d", code)
	}
	i.heard(t)
	r := request("POST", "/api/servers/web?action=start", "", "Origin", "http://evil.example")
	i.serve(r)
	if e := i.heard(t); !strings.Contains(e.Message, "refused: a page of another origin") {
		t.Errorf("%+v", e)
	}
	for _, secret := range []string{"a secret of bob", i.tokens["admin"]} {
		if strings.Contains(i.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func copyTo(text *strings.Builder, res *http.Response) (int64, error) { return io.Copy(text, res.Body) }
