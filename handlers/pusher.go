package handlers

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tend/handlers/hub"
	"tend/services"
	"tend/views/model"
	"tend/views/partials"
)

// The topics of the websocket.
const (
	topicOverview = "overview"
	topicGraph    = "graph"
)

func topicServer(id string) string { return "server:" + id }

// Pusher turns events into fragments. It renders nothing itself: the hub does,
// when somebody looks. Use NewPusher.
type Pusher struct {
	control services.Control
	hub     *hub.Hub
	host    string // of the links to servers' ports
	recent  *Recent
	log     *slog.Logger

	uses map[string]uint64 // how what was pushed looks; only Sample's goroutine touches it

	// Only Run's goroutine touches what follows. Nobody changes a status that
	// is in here: renderings that are still to come hold it, too.
	names   []string
	servers map[string]*services.Status
	count   model.Count
	ties    ties
}

// NewPusher makes the pusher of a hub. It has to be the only one, because it
// says what is newer than what. url is where the dashboard is reached.
func NewPusher(control services.Control, h *hub.Hub, url string, recent *Recent, log *slog.Logger) *Pusher {
	return &Pusher{control: control, hub: h, host: linkHost(url), recent: recent, log: log, uses: make(map[string]uint64)}
}

// Sample pushes what a server uses, after it was added to what is recent, where
// that looks different from what was pushed before. One goroutine may call it.
func (p *Pusher) Sample(server string, s services.Sample) {
	looks := model.UseOf(server, p.recent, s.At.Time).Looks()
	if p.uses[server] == looks {
		return
	}
	p.uses[server] = looks
	p.push(topicOverview, "use-"+server, p.recent.Rev(server), func(now time.Time) templ.Component {
		return partials.Use(model.UseOf(server, p.recent, now))
	})
}

func (p *Pusher) frame(now time.Time) model.Frame {
	return model.Frame{Now: now, Host: p.host, Recent: p.recent}
}

// relist is how long the pusher waits before it tries again to list.
const relist = time.Second

// Run pushes what happens until ctx ends.
func (p *Pusher) Run(ctx context.Context) error {
	for {
		err := p.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		p.log.Warn("the pages are not kept up to date for a moment", "err", err)
		select {
		case <-time.After(relist):
		case <-ctx.Done():
			return nil
		}
	}
}

// follow pushes events until ctx ends or one cannot be had.
func (p *Pusher) follow(ctx context.Context) error {
	events := p.control.Watch(ctx, services.Now) // before the list, so that nothing falls between
	if err := p.reset(ctx); err != nil {
		return err
	}
	for e, err := range events {
		if err != nil {
			return err
		}
		if err := p.take(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// take pushes what one event changes.
func (p *Pusher) take(ctx context.Context, e services.Event) error {
	switch {
	case e.Kind == services.EventReset:
		return p.reset(ctx)
	case e.Kind == services.EventRemoved:
		p.remove(e.Server)
	case e.Status != nil:
		return p.change(ctx, e.Status)
	}
	return nil
}

// reset lists all servers and pushes everything.
func (p *Pusher) reset(ctx context.Context) error {
	list, err := p.control.List(ctx)
	if err != nil {
		return err
	}
	before := p.servers
	p.names, p.servers, p.count = nil, make(map[string]*services.Status, len(list)), model.Count{}
	for _, one := range list {
		s := &one // by itself: the list is not kept for the sake of one of them
		p.names = append(p.names, s.ID)
		p.servers[s.ID] = s
		p.count.Add(s)
		p.pushPanel(s)
	}
	for id, s := range before {
		if p.servers[id] == nil {
			p.pushGone(s)
		}
	}
	p.pushAll()
	p.pushGraph(before)
	return nil
}

// change takes a new status of one server.
func (p *Pusher) change(ctx context.Context, s *services.Status) error {
	old := p.servers[s.ID]
	switch {
	case old == nil:
		return p.reset(ctx) // only the list knows where it stands
	case old.Rev >= s.Rev:
		return nil
	}
	p.servers[s.ID] = s
	before := p.count
	p.count.Remove(old)
	p.count.Add(s)
	p.pushPanel(s)
	if model.SameTies(old, s) {
		p.pushNode(s)
	} else {
		p.pushGraph(nil)
	}
	if model.Place(old) != model.Place(s) {
		p.pushAll()
		return nil
	}
	p.push(topicOverview, "server-"+s.ID, s.Rev, p.view(s, row))
	if p.count != before {
		p.pushSummary()
	}
	return nil
}

// remove forgets a server.
func (p *Pusher) remove(id string) {
	s := p.servers[id]
	if s == nil {
		return
	}
	delete(p.servers, id)
	p.names = slices.DeleteFunc(p.names, func(name string) bool { return name == id })
	p.count.Remove(s)
	p.pushGone(s)
	p.pushAll()
	p.pushGraph(map[string]*services.Status{id: s})
}

// row is a server in the list. Whether a browser shows it is its own business.
func row(s model.Server) templ.Component { return partials.Row(&model.Listed{Server: s}) }

// pushAll says that servers came, went or moved: each page asks for the list
// that it shows.
func (p *Pusher) pushAll() {
	rev := p.next()
	p.push(topicOverview, "roster", rev, func(time.Time) templ.Component { return partials.Roster(strconv.FormatUint(rev, 10)) })
	p.pushSummary()
}

// list is all servers, in their order.
func (p *Pusher) list() []*services.Status {
	list := make([]*services.Status, len(p.names))
	for i, name := range p.names {
		list[i] = p.servers[name]
	}
	return list
}

func (p *Pusher) pushSummary() {
	count, rev := p.count, p.next()
	p.push(topicOverview, "summary", rev, func(time.Time) templ.Component { return partials.Summary(count.Summary(rev, "")) })
}

func (p *Pusher) pushPanel(s *services.Status) {
	p.push(topicServer(s.ID), "panel-"+s.ID, s.Rev, p.view(s, partials.Panel))
}

// pushGone puts up tombstones: what is older than that does not come back.
func (p *Pusher) pushGone(s *services.Status) {
	rev := s.Rev + 1
	p.push(topicServer(s.ID), "panel-"+s.ID, rev, func(time.Time) templ.Component {
		return partials.Gone(s.ID, strconv.FormatUint(rev, 10))
	})
	p.hub.Publish(hub.Fragment{Topic: topicOverview, ID: "server-" + s.ID, Rev: rev, Render: func() []byte { return nil }})
}

// next is the position in the hub that the next fragment will have. It grows,
// also across managers, and a page that was made at an earlier position knows
// less: that makes it a revision for what is about several servers.
func (p *Pusher) next() uint64 { return p.hub.Last() + 1 }

func (p *Pusher) view(s *services.Status, part func(model.Server) templ.Component) func(time.Time) templ.Component {
	return func(now time.Time) templ.Component {
		return part(model.ServerOf(s, p.frame(now)))
	}
}

// push hands a fragment to the hub. Its element has its id.
func (p *Pusher) push(topic, id string, rev uint64, view func(now time.Time) templ.Component) {
	p.hub.Publish(hub.Fragment{Topic: topic, ID: id, Rev: rev, Render: func() []byte {
		var b bytes.Buffer
		ctx := templ.WithChildren(context.Background(), view(time.Now()))
		if err := partials.Push(id).Render(ctx, &b); err != nil {
			p.log.Error("a fragment could not be rendered", "topic", topic, "id", id, "err", err)
			return nil
		}
		return b.Bytes()
	}})
}
