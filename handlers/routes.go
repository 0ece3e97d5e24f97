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
	limits *limits
}

// New returns the whole web application. Hub may be nil: then there is no
// websocket.
func New(d Deps) http.Handler {
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
	h := &handler{d, newLimits()}
	return h.guarded(h.routes())
}

// routes is every route there is.
func (h *handler) routes() *mux.Router {
	r := mux.NewRouter()
	r.SkipClean(true) // an unclean path is 404 and never a redirect, which would turn a POST into a GET
	get := func(path string, handle api.Handler) {
		r.Handle(path, h.show(h.limits.queued(handle))).Methods("GET", "HEAD")
	}
	stream := func(path string, handle api.Handler) {
		r.Handle(path, h.show(h.limits.streamed(handle))).Methods("GET")
	}
	post := func(path string, handle api.Handler) { r.Handle(path, h.show(handle)).Methods("POST") }

	rest := &api.API{Control: h.Control, Logs: h.Logs, History: h.History, Alerts: h.Alerts, Tree: h.Tree, Signal: h.Signal, Shutdown: h.Shutdown, Upgrade: h.Upgrade, Reload: h.Reload, Info: h.Info, Position: h.Position, Ending: h.Ending}
	get("/", h.showOverview)
	get("/keys", h.showKeys)
	get("/palette", h.showPalette)
	get("/bulk", h.askBulk)
	post("/bulk", h.actBulk)
	get("/servers/{id}", h.showTab("", h.viewOverview))
	get("/servers/{id}/events", h.showTab("/events", h.viewEvents))
	get("/servers/{id}/processes", h.showTab("/processes", h.viewProcesses))
	get("/servers/{id}/config", h.showTab("/config", h.viewSettings))
	stream("/servers/{id}/log", h.streamLog)
	get("/servers/{id}/logs", h.showLogs)
	get("/servers/{id}/logs/window", h.showLogWindow)
	stream("/servers/{id}/logs/stream", h.followLogs)
	stream("/servers/{id}/logs/search", h.searchLogs)
	stream("/servers/{id}/logs/download", h.downloadLog)
	get("/logs", h.showLogs)
	get("/logs/window", h.showLogWindow)
	stream("/logs/stream", h.followLogs)
	stream("/logs/search", h.searchLogs)
	post("/servers/{id}/{action}", h.actOnServer)
	post("/servers/{id}/processes/{pid}", h.signalProcess(rest))
	get("/graph", h.showGraph)
	get("/timeline", h.showTimeline)
	get("/config", h.showConfig)
	post("/config", h.reloadConfig)
	post("/alerts/test", h.testAlerts)
	stream("/ws", h.openSocket)
	r.PathPrefix(static.Prefix).Handler(static.Handler()).Methods("GET", "HEAD")

	get("/api/servers", rest.ListServers)
	post("/api/servers", rest.OrderServers)
	get("/api/servers/{id}", rest.GetServer)
	post("/api/servers/{id}", rest.OrderServer)
	stream("/api/servers/{id}/logs", rest.StreamLog)
	get("/api/servers/{id}/runs", rest.ListRuns)
	get("/api/servers/{id}/samples", rest.ListSamples)
	get("/api/servers/{id}/tree", rest.ListTree)
	post("/api/servers/{id}/tree", rest.SignalProcess)
	get("/api/history", rest.ListEvents)
	stream("/api/events", rest.StreamEvents)
	get("/api/info", rest.GetInfo)
	get("/api/openapi.yaml", rest.GetContract)
	post("/api/config/reload", rest.ReloadConfig)
	get("/api/alerts", rest.ListAlerts)
	post("/api/alerts/test", rest.TestAlerts)
	post("/api/upgrade", rest.TakeOver)
	post("/api/shutdown", rest.End)
	get("/healthz", rest.GetHealth)
	get("/metrics", h.showMetrics)

	r.NotFoundHandler = h.show(func(_ http.ResponseWriter, r *http.Request) error {
		return services.Errorf(services.NotFound, "there is nothing at %.200s", r.URL.Path)
	})
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
		h.tell(w, r, problem{http.StatusMethodNotAllowed, services.Invalid, r.Method + " does not work here: use " + methods})
	})
}
