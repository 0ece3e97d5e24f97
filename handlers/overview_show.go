package handlers

import (
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tend/services"
	"tend/services/access"
	"tend/views/layout"
	"tend/views/model"
	"tend/views/pages"
)

// firstRows is how many servers the page begins with: more than a screen of 4K
// shows of dense rows.
const firstRows = 100

// showOverview shows all servers, or those that the address chooses.
func (h *handler) showOverview(w http.ResponseWriter, r *http.Request) error {
	find := model.FindOf(r.URL.Query())
	if path := find.Path(); path != r.URL.RequestURI() { // a form sends what is empty, too
		http.Redirect(w, r, path, http.StatusSeeOther)
		return nil
	}
	at := h.position() // before the list: what changes meanwhile is pushed again
	list, err := h.Control.List(r.Context())
	if err != nil {
		return err
	}
	refs := make([]*services.Status, len(list))
	for i := range list {
		refs[i] = &list[i]
	}
	now := time.Now()
	overview := model.OverviewOf(refs, find, at, h.view(now))
	if !byHTMX(r) { // who has the page already puts the whole list in the place of what it shows
		overview.Split(firstRows)
	}
	frame := h.frame(r, overview.Summary.Title, now)
	frame.Topic, frame.Since, frame.Path = topicOverview, strconv.FormatUint(at, 10), find.Path()
	frame.Here = "/"
	return h.render(w, r, http.StatusOK, pages.Overview(frame, overview))
}

// frame is what surrounds a page. For nobody it says nothing of this manager.
func (h *handler) frame(r *http.Request, title string, now time.Time) layout.Frame {
	_, offset := now.Zone()
	frame := layout.Frame{Title: title, Demo: h.Info.Demo, Now: strconv.FormatInt(now.UnixMilli(), 10), Zone: strconv.Itoa(offset / 60), Looks: looksOf(r)}
	if s, ok := access.Of(r.Context()); ok {
		frame.Version, frame.PID, frame.Config = h.Info.Version, strconv.Itoa(h.Info.PID), h.Info.Config
		frame.Who, frame.Role, frame.SignedIn, frame.Polls = s.Name, string(s.Role), s.Via == access.ViaSession, s.Limited()
	}
	return frame
}

// view is what the servers on a page depend on beside themselves.
func (h *handler) view(now time.Time) model.Frame {
	return model.Frame{Now: now, Host: linkHost(h.Info.URL), Recent: h.Recent}
}

// positioned is a hub that says how far it is.
type positioned interface{ Last() uint64 }

// position is how far the hub is, 0 where it does not say.
func (h *handler) position() uint64 {
	if hub, ok := h.Hub.(positioned); ok {
		return hub.Last()
	}
	return 0
}

// linkHost is the host by which browsers reach the ports of servers: the one
// that the dashboard listens on. It is not taken from the request, because
// what is pushed is rendered once for all browsers.
func linkHost(dashboard string) string {
	u, err := url.Parse(dashboard)
	if err != nil || u.Hostname() == "" {
		return "127.0.0.1"
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return u.Hostname()
}
