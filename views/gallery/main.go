// Command gallery shows every view with canned data, on loopback. It is for
// whoever works on how things look; its buttons lead nowhere.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tend/services"
	"tend/static"
	"tend/views/canned"
	"tend/views/layout"
	"tend/views/model"
	"tend/views/pages"
	"tend/views/partials"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3033", "address of the gallery")
	flag.Parse()
	fmt.Printf("gallery: http://%s/ shows every state, /healthy (6 servers), /crowd (300), /empty, /ask, /problem, /toasts, /logs, /timeline, /config, /login, /enter, /access, /charts, /sparks, /graph, /graph/deep (wide, parts, untied, none) and /servers/NAME the rest\n", *listen)
	server := &http.Server{Addr: *listen, Handler: routes(), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}

// routes is the gallery. Views are made anew for each request, so that times
// are of now.
func routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(static.Prefix, static.Handler())
	show := func(path string, view func(r *http.Request) templ.Component) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			templ.Handler(view(r)).ServeHTTP(w, r)
		})
	}
	show("/{$}", func(r *http.Request) templ.Component { return overview(canned.Servers(time.Now()), r) })
	show("/healthy", func(r *http.Request) templ.Component { return overview(canned.Healthy(time.Now(), 6), r) })
	show("/crowd", func(r *http.Request) templ.Component { return overview(canned.Crowd(time.Now(), 300), r) })
	show("/empty", func(r *http.Request) templ.Component { return overview(nil, r) })
	show("/ask", func(*http.Request) templ.Component {
		return pages.Ask(frame("Stop"), model.AskOf(services.Stop, []string{"postgres", "redis"}, []string{"api", "mailer"}))
	})
	show("/problem", func(*http.Request) templ.Component {
		return pages.Problem(frame("Conflict"), "Conflict", "port 8080 is held by pid 4711 (python3 -m http.server 8080): end it, or give api another port")
	})
	show("/toasts", func(r *http.Request) templ.Component {
		return templ.Join(overview(canned.Servers(time.Now()), r), partials.Toast("api is stopping: start it when it has stopped"))
	})
	show("/charts", charts)
	show("/graph", graph)
	show("/graph/{name}", graph)
	show("/sparks", func(*http.Request) templ.Component { return sparks() })
	show("/servers/{id}", func(r *http.Request) templ.Component {
		if slices.Contains(canned.Shapes, r.PathValue("id")) {
			return charts(r)
		}
		for _, s := range canned.Servers(time.Now()) {
			if s.ID == r.PathValue("id") {
				return server(s)
			}
		}
		return serverPage(frame("gone"), model.Server{}, "", templ.NopComponent)
	})
	show("/servers/{id}/{tab}", tab)
	show("/keys", func(*http.Request) templ.Component { return pages.Keys(frame("Keys")) })
	show("/palette", func(r *http.Request) templ.Component {
		return pages.Palette(frame("Find"), model.PaletteOf(r.URL.Query().Get("q"), canned.Servers(time.Now()), services.Admin))
	})
	show("/logs", func(*http.Request) templ.Component { return logs() })
	show("/timeline", func(r *http.Request) templ.Component {
		now := time.Now()
		return pages.Timeline(frame("Timeline"), model.TimelineOf(canned.Happenings(now), []string{"api", "worker"}, r.URL.Query(), now))
	})
	show("/config", func(*http.Request) templ.Component {
		return pages.Config(frame("Configuration"), model.PlanOf(canned.Plan()), model.AlertsOf(canned.Alerts(time.Now()), nil, time.Now()))
	})
	show("/login", func(*http.Request) templ.Component {
		return pages.SignIn(layout.Frame{Title: "Sign in"}, model.SignIn{Why: "The name or the password is wrong.", Next: "/"})
	})
	show("/enter", func(*http.Request) templ.Component { return pages.Enter(layout.Frame{Title: "Sign in"}, "key") })
	show("/refusal", func(*http.Request) templ.Component {
		return pages.Refusal(layout.Frame{Title: "Forbidden"}, "Forbidden", "a page of another origin may not do that: open the dashboard itself")
	})
	show("/access", func(r *http.Request) templ.Component {
		now := time.Now()
		f := frame("Access")
		f.Here = "/access"
		users, tokens, sessions := canned.Access(now)
		var made *model.NewToken
		if r.URL.Query().Has("made") {
			made = &model.NewToken{Name: "backup", Secret: "tend_3q2-7wAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBk"}
		}
		if r.URL.Query().Has("empty") {
			users, tokens, sessions = nil, nil, nil
		}
		return pages.Access(f, model.AccessOf(users, tokens, sessions, made, now))
	})
	return mux
}

// frame has no topic: the gallery has no websocket.
func frame(title string) layout.Frame {
	return layout.Frame{
		Title: title, Version: "gallery", PID: "1", Config: "/etc/tend/tend.yaml", Demo: true,
		Now: fmt.Sprint(time.Now().UnixMilli()), Zone: "0", Who: "alice", Role: string(services.Admin), SignedIn: true,
	}
}

func overview(list []services.Status, r *http.Request) templ.Component {
	refs := make([]*services.Status, len(list))
	for i := range list {
		refs[i] = &list[i]
	}
	now := time.Now()
	o := model.OverviewOf(refs, model.FindOf(r.URL.Query()), 1, model.Frame{Now: now, Host: "127.0.0.1", Recent: recent(now)})
	return pages.Overview(frame(o.Summary.Title), o)
}

// shapes are how the servers of the gallery that run used what they use, by
// their names up to a number.
var shapes = map[string]string{"postgres": "steady", "redis": "spiky", "cache": "spiky", "queue": "steady", "api": "leak"}

func shapeOf(server string) string {
	name, _, _ := strings.Cut(server, "-")
	return shapes[name]
}

// recent is what the servers of the gallery used before an instant.
type recent time.Time

// Len implements model.Lately.
func (r recent) Len() int { return len(shapes) }

// Newest implements model.Lately.
func (r recent) Newest(server string) *services.Sample {
	if list := r.Of(server); len(list) > 0 {
		return &list[len(list)-1]
	}
	return nil
}

// Rev implements model.Lately.
func (r recent) Rev(string) uint64 { return uint64(time.Time(r).UnixMilli()) }

// Of implements model.Lately.
func (r recent) Of(server string) []services.Sample {
	if shapeOf(server) == "" {
		return nil
	}
	return canned.Samples(shapeOf(server), time.Time(r), 10*time.Minute, 40)
}

// Strip implements model.Lately.
func (r recent) Strip(server string, _ time.Time) (out [model.StripSlots]services.Vigour) {
	for i := range out {
		out[i] = services.VigourUp
		switch {
		case shapeOf(server) == "":
			out[i] = services.VigourDown
		case i > 40 && i < 44:
			out[i] = services.VigourUnhealthy
		case i == 44 && server == "worker":
			out[i] = services.VigourBroken
		}
	}
	return out
}

// logs are lines of two servers, in which something is searched for.
func logs() templ.Component {
	now := time.Now()
	writers := [2]model.Writer{{Mark: regexp.MustCompile("redis")}, {Mark: regexp.MustCompile("redis")}}
	var p model.LogPiece
	for i, text := range append(canned.Log(), canned.Objects()...) {
		log := i % 2
		e := writers[log].Entry(text, false, now)
		e.Server, e.Color, e.Place = []string{"api", "postgres"}[log], log, fmt.Sprintf("%s:1.%d", []string{"api", "postgres"}[log], i)
		e.Link = "#" + e.Place
		p.Entries = append(p.Entries, e)
	}
	p.Begin, p.End = true, true
	view := model.LogView{Text: "redis"}
	view.Choose([]string{"postgres", "api", "worker", "docs"}, []string{"api", "postgres"})
	view.Of("/logs", nil, []string{"api", "postgres"}, p)
	f := frame("Logs")
	f.Here = "/logs"
	return pages.Logs(f, view, model.Around{})
}

func server(s services.Status) templ.Component {
	var painter model.Painter
	out := model.Output{ID: s.ID, Stream: "/servers/" + s.ID + "/log"}
	for _, text := range canned.Log() {
		out.Lines = append(out.Lines, painter.LineOf(text, false, time.Now()))
	}
	now := time.Now()
	return serverPage(frame(strings.Join([]string{s.Name, "tend"}, " · ")), model.ServerOf(&s, model.Frame{Now: now, Host: "127.0.0.1"}),
		"", pages.ServerOverview(chartsOf("spiky", model.RangeHour), out))
}

func serverPage(f layout.Frame, s model.Server, tab string, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return pages.Server(f, s, model.AroundOf(s.ID, tab, []string{"api", s.ID, "worker"})).Render(templ.WithChildren(ctx, content), w)
	})
}

// tab is a tab of a server other than the first.
func tab(r *http.Request) templ.Component {
	now := time.Now()
	s := canned.Servers(now)[2]
	var content templ.Component
	switch r.PathValue("tab") {
	case "events":
		content = pages.ServerEvents(s.ID, model.RunsOf(canned.Runs(now), now), model.TimelineOf(canned.Happenings(now), nil, nil, now).Days)
	case "config":
		content = partials.Settings(model.SettingsOf(canned.Settings(), true))
	default:
		content = partials.Processes(s.ID, model.ProcessesOf(canned.Tree(now), now))
	}
	return serverPage(frame(s.Name), model.ServerOf(&s, model.Frame{Now: now, Host: "127.0.0.1"}), "/"+r.PathValue("tab"), content)
}
