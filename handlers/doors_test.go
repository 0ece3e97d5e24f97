package handlers

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/access"
	"tend/static"
)

// vault is an access.Store in memory.
type vault struct {
	mu   sync.Mutex // guards what follows
	data []byte
}

func (v *vault) Read() ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.data, nil
}

func (v *vault) Write(data []byte) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.data = data
	return nil
}

func (v *vault) SetAside(why error) string { return why.Error() }

// guests are a token of each role, and one that has expired, by their names.
type guests struct {
	*access.Access
	tokens map[string]string
}

// invite makes an Access with a token of each role, and the user alice.
func invite(t *testing.T) guests {
	t.Helper()
	g, store := guests{tokens: map[string]string{}}, new(vault)
	open := func() {
		var damage string
		if g.Access, damage = access.Open(access.Options{Store: store, Log: slog.New(slog.DiscardHandler)}); damage != "" {
			t.Fatal(damage)
		}
	}
	open()
	add := func(name string, role services.Role, expires time.Time, servers ...string) {
		secret, err := g.AddToken(t.Context(), services.Token{Name: name, Role: role, Servers: servers, Expires: services.Time{Time: expires}})
		if err != nil {
			t.Fatal(err)
		}
		g.tokens[name] = secret
	}
	day, past := time.Now().Add(24*time.Hour), time.Now().Add(25*time.Hour)
	for _, role := range services.Roles {
		add(string(role), role, day)
	}
	add("expired", services.Admin, past)
	add("web", services.Operator, day, "web")
	if err := g.AddUser(t.Context(), services.User{Name: "alice", Role: services.Viewer}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	text := func(at time.Time) string { b, _ := json.Marshal(services.Time{Time: at}); return string(b) }
	store.data = []byte(strings.Replace(string(store.data), text(past), text(past.AddDate(-1, 0, 0)), 1))
	open()
	return g
}

// door is a route with what it needs, and what each gets who asks.
type door struct {
	route                   string
	query, body             string
	viewer, operator, admin int
	everybody               int // where it needs nothing: what all get
}

// everyDoor is every route there is. A new one has to be entered.
var everyDoor = []door{
	{route: "GET /", viewer: 200, operator: 200, admin: 200},
	{route: "GET /keys", viewer: 200, operator: 200, admin: 200},
	{route: "GET /palette", viewer: 200, operator: 200, admin: 200},
	{route: "GET /bulk", query: "action=stop&id=web", viewer: 403, operator: 200, admin: 200},
	{route: "POST /bulk", body: "action=start&id=web", viewer: 403, operator: 303, admin: 303},
	{route: "GET /servers/{id}", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/events", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/config", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/processes", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/log", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/logs", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/logs/window", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/logs/stream", query: "after=1.0", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/logs/search", query: "q=x", viewer: 200, operator: 200, admin: 200},
	{route: "GET /servers/{id}/logs/download", viewer: 200, operator: 200, admin: 200},
	{route: "GET /logs", viewer: 200, operator: 200, admin: 200},
	{route: "GET /logs/window", query: "server=web", viewer: 200, operator: 200, admin: 200},
	{route: "GET /logs/stream", query: "server=web&after=web:1.0", viewer: 200, operator: 200, admin: 200},
	{route: "GET /logs/search", query: "server=web&q=x", viewer: 200, operator: 200, admin: 200},
	{route: "POST /servers/{id}/{action}", viewer: 403, operator: 303, admin: 303},
	{route: "POST /servers/{id}/processes/{pid}", body: "signal=TERM", viewer: 403, operator: 404, admin: 404}, // it does not run
	{route: "GET /graph", viewer: 200, operator: 200, admin: 200},
	{route: "GET /timeline", viewer: 200, operator: 200, admin: 200},
	{route: "GET /config", viewer: 200, operator: 200, admin: 200},
	{route: "POST /config", body: "plan=x", viewer: 403, operator: 303, admin: 303},
	{route: "POST /alerts/test", viewer: 403, operator: 403, admin: 200},
	{route: "GET /ws", query: "topic=overview", viewer: 204, operator: 204, admin: 204},
	{route: "GET " + static.Prefix, everybody: 404}, // of a file that there is not

	{route: "GET /login", everybody: 200},
	{route: "POST /login", body: "name=alice&password=wrong", everybody: 401},
	{route: "POST /logout", everybody: 303},
	{route: "GET /enter", everybody: 200},
	{route: "POST /enter", body: "key=wrong", everybody: 403},
	{route: "GET /access", viewer: 403, operator: 403, admin: 200},
	{route: "POST /access/users", body: "name=bob&role=viewer&password=correct+horse", viewer: 403, operator: 403, admin: 303},
	{route: "POST /access/users/{name}", body: "action=role&role=viewer", viewer: 403, operator: 403, admin: 303},
	{route: "POST /access/tokens", body: "name=page&role=viewer&expires=1d", viewer: 403, operator: 403, admin: 200},
	{route: "POST /access/tokens/{name}", body: "action=revoke", viewer: 403, operator: 403, admin: 404}, // alice is no token
	{route: "POST /access/sessions/{session}", body: "action=revoke", viewer: 403, operator: 403, admin: 404},

	{route: "GET /api/servers", viewer: 200, operator: 200, admin: 200},
	{route: "POST /api/servers", body: "action=start&all=true", viewer: 403, operator: 200, admin: 200},
	{route: "GET /api/servers/{id}", viewer: 200, operator: 200, admin: 200},
	{route: "POST /api/servers/{id}", query: "action=start", viewer: 403, operator: 200, admin: 200},
	{route: "GET /api/servers/{id}/logs", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/servers/{id}/runs", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/servers/{id}/samples", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/servers/{id}/tree", viewer: 200, operator: 200, admin: 200},
	{route: "POST /api/servers/{id}/tree", query: "pid=1&signal=TERM", viewer: 403, operator: 404, admin: 404},
	{route: "GET /api/history", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/events", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/info", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/openapi.yaml", viewer: 200, operator: 200, admin: 200},
	{route: "POST /api/config/reload", viewer: 403, operator: 200, admin: 200},
	{route: "GET /api/alerts", viewer: 200, operator: 200, admin: 200},
	{route: "POST /api/alerts/test", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/upgrade", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/shutdown", viewer: 403, operator: 403, admin: 200},
	{route: "GET /api/access/me", viewer: 200, operator: 200, admin: 200},
	{route: "GET /api/access/users", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/access/users", body: "name=carol&role=viewer&password=correct+horse", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/access/users/{name}", body: "action=role&role=viewer", viewer: 403, operator: 403, admin: 200},
	{route: "GET /api/access/tokens", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/access/tokens", body: "name=rest&role=viewer&expires=1d", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/access/tokens/{name}", query: "action=revoke", viewer: 403, operator: 403, admin: 404},
	{route: "GET /api/access/sessions", viewer: 403, operator: 403, admin: 200},
	{route: "POST /api/access/sessions/{session}", query: "action=revoke", viewer: 403, operator: 403, admin: 404},
	{route: "POST /api/access/links", viewer: 403, operator: 403, admin: 200},
	{route: "GET /healthz", everybody: 200},
	{route: "GET /metrics", viewer: 200, operator: 200, admin: 200},
}

// knocking are those who try every door, and what they get at each.
var knocking = map[string]struct {
	knock func(g guests, r *http.Request) *http.Request
	gets  func(d door) int
}{
	"a process of another user": {from(peer{known: true, uid: 4711, loopback: true}), turnedAway},
	"a process of nobody":       {from(peer{known: true, uid: nobody, loopback: true}), turnedAway},
	"somebody unknown":          {from(peer{loopback: true}), turnedAway},
	"another machine":           {from(peer{}), turnedAway},
	"another user on the socket": {func(_ guests, r *http.Request) *http.Request {
		return from(peer{known: true, uid: 4711, socket: true})(guests{}, r)
	}, turnedAway},
	"the manager's user":            {from(ours), func(d door) int { return d.or(d.operator) }},
	"the manager's user, elsewhere": {from(peer{known: true, uid: ours.uid}), turnedAway},
	"root":                          {from(peer{known: true, loopback: true}), func(d door) int { return d.or(d.operator) }},
	"the manager's user through a proxy": {func(_ guests, r *http.Request) *http.Request {
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		return from(ours)(guests{}, r)
	}, turnedAway},
	"the manager's user by another name": {func(_ guests, r *http.Request) *http.Request {
		r.Host = "box.lan"
		return from(ours)(guests{}, r)
	}, turnedAway},
	"the manager's user on the socket": {from(peer{socket: true, known: true, uid: ours.uid}), func(d door) int { return d.or(d.admin) }},
	"a viewer":                         {token("viewer"), func(d door) int { return d.or(d.viewer) }},
	"an operator":                      {token("operator"), func(d door) int { return d.or(d.operator) }},
	"an admin":                         {token("admin"), func(d door) int { return d.or(d.admin) }},
	"a token that has expired":         {token("expired"), turnedAway},
	"a token that is none":             {token("none"), turnedAway},
	"a foreign page":                   {with("Origin", "http://evil.example"), func(door) int { return 403 }},
	"a page of another port":           {with("Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"), func(door) int { return 403 }},
	"a foreign Host": {func(g guests, r *http.Request) *http.Request {
		r.Host = "evil.example"
		return token("admin")(g, r)
	}, func(door) int { return 403 }},
	"a body that is text": {func(g guests, r *http.Request) *http.Request {
		r = token("admin")(g, request(r.Method, r.URL.RequestURI(), "action=start", "Content-Type", "text/plain"))
		return r
	}, func(door) int { return 400 }},
}

var ours = peer{known: true, uid: uint32(os.Geteuid()), loopback: true}

func (d door) or(status int) int {
	if d.everybody != 0 {
		return d.everybody
	}
	return status
}

func turnedAway(d door) int { return d.or(http.StatusUnauthorized) }

func from(p peer) func(guests, *http.Request) *http.Request {
	return func(_ guests, r *http.Request) *http.Request {
		return r.WithContext(context.WithValue(context.Background(), keyPeer, p))
	}
}

// token shows a token, and comes from where everybody is known: a token that is
// no good is no way in for those either.
func token(name string) func(guests, *http.Request) *http.Request {
	return func(g guests, r *http.Request) *http.Request {
		r.Header.Set("Authorization", "Bearer "+g.tokens[name])
		return from(ours)(g, r)
	}
}

func with(header ...string) func(guests, *http.Request) *http.Request {
	return func(g guests, r *http.Request) *http.Request {
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return token("admin")(g, r)
	}
}

func TestEveryDoorIsOpenToThoseWhoMayAndToNobodyElse(t *testing.T) {
	ended := make(chan struct{})
	close(ended) // no stream lasts
	build := func(g guests) *app {
		return newApp(t, func(d *Deps) {
			d.Access, d.LocalOperator, d.Ending = g.Access, true, ended
			d.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			d.Reload = func(context.Context, bool, string, string) (services.Plan, error) { return services.Plan{}, nil }
			d.Upgrade = func(context.Context, string) error { return nil }
		})
	}
	table, there := map[string]door{}, map[string]bool{}
	for _, d := range everyDoor {
		table[d.route] = d
	}
	newApp(t).routes().Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, _ := r.GetPathTemplate()
		methods, _ := r.GetMethods()
		for _, method := range methods {
			name := method + " " + path
			there[name] = true
			if _, ok := table[strings.Replace(name, "HEAD ", "GET ", 1)]; !ok {
				t.Errorf("%s is not in the table: enter it, with who may come in", name)
			}
		}
		return nil
	})
	for name, who := range knocking {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := invite(t)
			a := build(g)
			for _, d := range everyDoor {
				if !there[d.route] {
					t.Errorf("%s is in the table, and nowhere else", d.route)
				}
				w := a.serve(who.knock(g, d.request()))
				if want := who.gets(d); w.Code != want {
					t.Errorf("%s: %d, want %d: %.200s", d.route, w.Code, want, w.Body)
				}
			}
		})
	}
	t.Run("a GET instead of a POST", func(t *testing.T) {
		g := invite(t)
		a := build(g)
		for _, d := range everyDoor {
			path, changes := strings.CutPrefix(d.route, "POST ")
			if !changes || there["GET "+path] {
				continue
			}
			for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
				d.route, d.body = method+" "+path, ""
				r := d.request()
				if w := a.serve(token("admin")(g, r)); w.Code != http.StatusMethodNotAllowed {
					t.Errorf("%s %s: %d", method, path, w.Code)
				}
			}
		}
		a.untouched(t, "other methods")
	})
}

func (d door) request() *http.Request {
	method, path, _ := strings.Cut(d.route, " ")
	path = strings.NewReplacer("{id}", "web", "{action}", "start", "{pid}", "1", "{name}", "alice", "{session}", "none").Replace(path)
	if d.query != "" {
		path += "?" + d.query
	}
	return request(method, path, d.body)
}
