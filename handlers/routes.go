package handlers

import (
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"tend/handlers/api"
	"tend/services"
	"tend/static"
)

type handler struct {
	Deps
	limits   *limits
	refusals refusals
}

// New returns the whole web application. Hub may be nil: then there is no
// websocket.
func New(d Deps) http.Handler {
	h := newHandler(d)
	return h.guarded(h.routes())
}

// newHandler lets whatever reads servers go through what says who may see them.
func newHandler(d Deps) *handler {
	if d.History == nil {
		d.History = noHistory{}
	}
	if d.Alerts == nil {
		d.Alerts = noAlerts{}
	}
	if d.Recent == nil {
		d.Recent = NewRecent()
	}
	if d.Reload == nil {
		d.Reload = noReload
	}
	d.Control, d.History, d.Logs = scopedControl{d.Control}, scopedHistory{d.History}, scopedLogs{d.Logs}
	return &handler{Deps: d, limits: newLimits()}
}

// routes is every route there is, with what it asks of whoever asks, and what
// the record says of those that change something.
func (h *handler) routes() *mux.Router {
	r := mux.NewRouter()
	r.SkipClean(true) // an unclean path is 404 and never a redirect, which would turn a POST into a GET
	get := func(path string, n need, handle api.Handler) {
		r.Handle(path, h.show(allowed(n, h.limits.queued(handle)))).Methods("GET", "HEAD")
	}
	stream := func(path string, n need, handle api.Handler) {
		r.Handle(path, h.show(streams(allowed(n, h.limits.streamed(handle))))).Methods("GET")
	}
	post := func(path string, n need, says string, handle api.Handler) {
		r.Handle(path, h.show(noted(says, allowed(n, handle)))).Methods("POST")
	}

	rest := &api.API{Control: h.Control, Logs: h.Logs, History: h.History, Alerts: h.Alerts, Access: h.Access, Tree: h.Tree, Signal: h.Signal, Shutdown: h.Shutdown, Upgrade: h.Upgrade, Reload: h.Reload, Info: h.Info, Position: h.Position, Ending: h.Ending}
	get("/", viewer, h.showOverview)
	get("/keys", viewer, h.showKeys)
	get("/palette", viewer, h.showPalette)
	get("/bulk", operator, h.askBulk)
	post("/bulk", operator, "{action} {id}", h.actBulk)
	get("/servers/{id}", viewer, h.showTab("", h.viewOverview))
	get("/servers/{id}/events", viewer, h.showTab("/events", h.viewEvents))
	get("/servers/{id}/processes", viewer, h.showTab("/processes", h.viewProcesses))
	get("/servers/{id}/config", viewer, h.showTab("/config", h.viewSettings))
	stream("/servers/{id}/log", viewer, h.streamLog)
	get("/servers/{id}/logs", viewer, h.showLogs)
	get("/servers/{id}/logs/window", viewer, h.showLogWindow)
	stream("/servers/{id}/logs/stream", viewer, h.followLogs)
	stream("/servers/{id}/logs/search", viewer, h.searchLogs)
	stream("/servers/{id}/logs/download", viewer, h.downloadLog)
	get("/logs", viewer, h.showLogs)
	get("/logs/window", viewer, h.showLogWindow)
	stream("/logs/stream", viewer, h.followLogs)
	stream("/logs/search", viewer, h.searchLogs)
	post("/servers/{id}/{action}", operator, "{action} {id}", h.actOnServer)
	post("/servers/{id}/processes/{pid}", operator, "signal {signal} to pid {pid} of {id}", h.signalProcess(rest))
	get("/graph", viewer, h.showGraph)
	get("/timeline", viewer, h.showTimeline)
	get("/config", viewerOfAll, h.showConfig)
	post("/config", operatorOfAll, "reload the configuration", h.reloadConfig)
	post("/alerts/test", admin, "test the alerts", h.testAlerts)
	stream("/ws", viewerOfAll, h.openSocket) // what is pushed is the same for everybody
	r.PathPrefix(static.Prefix).Handler(static.Handler()).Methods("GET", "HEAD")

	get("/login", anybody, h.showSignIn)
	post("/login", anybody, "sign in as {name}", h.signIn)
	post("/logout", anybody, "sign out", h.signOut)
	get("/enter", anybody, h.showEnter)
	post("/enter", anybody, "sign in by a link", h.enter)
	get("/access", admin, h.showAccess)
	post("/access/users", admin, "add the user {name} as {role} {server}", h.back(rest.AddUser))
	post("/access/users/{name}", admin, "{action} of the user {name} {role} {server}", h.back(rest.ChangeUser))
	post("/access/tokens", admin, "add the token {name} as {role} {server}", h.addToken(rest))
	post("/access/tokens/{name}", admin, "{action} the token {name}", h.back(rest.ChangeToken))
	post("/access/sessions/{session}", admin, "{action} the session {session}", h.back(rest.ChangeSession))

	get("/api/servers", viewer, rest.ListServers)
	post("/api/servers", operator, "{action} {id}", rest.OrderServers)
	get("/api/servers/{id}", viewer, rest.GetServer)
	post("/api/servers/{id}", operator, "{action} {id}", rest.OrderServer)
	stream("/api/servers/{id}/logs", viewer, rest.StreamLog)
	get("/api/servers/{id}/runs", viewer, rest.ListRuns)
	get("/api/servers/{id}/samples", viewer, rest.ListSamples)
	get("/api/servers/{id}/tree", viewer, rest.ListTree)
	post("/api/servers/{id}/tree", operator, "signal {signal} to pid {pid} of {id}", rest.SignalProcess)
	get("/api/history", viewer, rest.ListEvents)
	stream("/api/events", viewer, rest.StreamEvents)
	get("/api/info", viewer, rest.GetInfo)
	get("/api/openapi.yaml", viewer, rest.GetContract)
	post("/api/config/reload", operatorOfAll, "reload the configuration", rest.ReloadConfig)
	get("/api/alerts", viewerOfAll, rest.ListAlerts)
	post("/api/alerts/test", admin, "test the alerts", rest.TestAlerts)
	post("/api/upgrade", admin, "let another program take over", rest.TakeOver)
	post("/api/shutdown", admin, "end the manager", rest.End)
	get("/api/access/me", viewer, rest.Me)
	get("/api/access/users", admin, rest.ListUsers)
	post("/api/access/users", admin, "add the user {name} as {role} {server}", rest.Answered(rest.AddUser))
	post("/api/access/users/{name}", admin, "{action} of the user {name} {role} {server}", rest.Answered(rest.ChangeUser))
	get("/api/access/tokens", admin, rest.ListTokens)
	post("/api/access/tokens", admin, "add the token {name} as {role} {server}", rest.AddToken)
	post("/api/access/tokens/{name}", admin, "{action} the token {name}", rest.Answered(rest.ChangeToken))
	get("/api/access/sessions", admin, rest.ListSessions)
	post("/api/access/sessions/{session}", admin, "{action} the session {session}", rest.Answered(rest.ChangeSession))
	post("/api/access/links", admin, "make a link that signs in", rest.MakeLink)
	get("/healthz", anybody, rest.GetHealth)
	get("/metrics", viewer, h.showMetrics)

	r.NotFoundHandler = h.show(allowed(viewer, func(_ http.ResponseWriter, r *http.Request) error {
		return services.Errorf(services.NotFound, "there is nothing at %.200s", r.URL.Path)
	}))
	r.MethodNotAllowedHandler = h.wrongMethod(r)
	return r
}

func (h *handler) openSocket(w http.ResponseWriter, r *http.Request) error {
	if h.Hub == nil {
		return services.Errorf(services.NotFound, "there is no websocket here")
	}
	topic := r.URL.Query().Get("topic")
	if name, ok := strings.CutPrefix(topic, topicServer("")); ok {
		if _, err := h.Control.Get(r.Context(), name); err != nil {
			return err
		}
	} else if topic != topicOverview && topic != topicGraph {
		return services.Errorf(services.Invalid, "there is nothing called %.60q to look at: write topic=overview, topic=graph or topic=server:NAME", topic)
	}
	h.Hub.ServeHTTP(w, r)
	return nil
}

func (h *handler) showMetrics(w http.ResponseWriter, r *http.Request) error {
	if h.Metrics == nil {
		return services.Errorf(services.NotFound, "there are no metrics here")
	}
	h.Metrics.ServeHTTP(w, r)
	return nil
}

// wrongMethod answers 405, with the methods that do work.
func (h *handler) wrongMethod(routes *mux.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{"GET", "HEAD", "POST"} {
			other := *r
			other.Method = method
			if match := new(mux.RouteMatch); routes.Match(&other, match) && match.MatchErr == nil {
				allowed = append(allowed, method)
			}
		}
		methods := strings.Join(allowed, ", ")
		w.Header().Set("Allow", methods)
		p := problem{http.StatusMethodNotAllowed, services.Invalid, r.Method + " does not work here: use " + methods}
		if n := noteOf(r); n != nil {
			n.result = resultOf(p)
		}
		h.tell(w, r, p)
	})
}
