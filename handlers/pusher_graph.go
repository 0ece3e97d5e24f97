package handlers

import (
	"time"

	"github.com/a-h/templ"

	"tend/handlers/hub"
	"tend/services"
	"tend/views/model"
	"tend/views/partials"
)

// ties are how the servers depend on each other. Nobody changes them:
// renderings that are still to come hold them.
type ties struct {
	needed map[string][]string // see model.NeededBy
	linked map[string]bool     // see model.Linked
}

// pushGraph pushes the whole graph: servers or dependencies came or went.
// before are servers that may be gone.
func (p *Pusher) pushGraph(before map[string]*services.Status) {
	list, was := p.list(), p.ties
	needed := model.NeededBy(list)
	p.ties = ties{needed: needed, linked: model.Linked(list, needed)}
	for id, linked := range was.linked {
		now, here := p.ties.linked[id]
		switch {
		case here && now != linked:
			p.clear(nodeID(id, linked), p.servers[id].Rev)
		case !here && before[id] != nil:
			p.clear(nodeID(id, linked), before[id].Rev+1)
			p.clear("ties-"+id, before[id].Rev+1)
		}
	}
	rev := p.next()
	p.push(topicGraph, "graph", rev, func(time.Time) templ.Component { return partials.Graph(model.GraphOf(list, rev)) })
}

// pushNode pushes one server of the graph: in the drawing or beside it, and in
// the list.
func (p *Pusher) pushNode(s *services.Status) {
	t := p.ties
	p.push(topicGraph, nodeID(s.ID, t.linked[s.ID]), s.Rev, func(time.Time) templ.Component {
		if t.linked[s.ID] {
			return partials.Box(model.NodeOf(s))
		}
		return partials.Alone(model.NodeOf(s))
	})
	p.push(topicGraph, "ties-"+s.ID, s.Rev, func(time.Time) templ.Component {
		return partials.Ties(model.TiesOf(s, t.needed[s.ID], func(name string) bool { _, known := t.linked[name]; return known }))
	})
}

// clear takes back what was pushed for an element that is not there any more.
func (p *Pusher) clear(id string, rev uint64) {
	p.hub.Publish(hub.Fragment{Topic: topicGraph, ID: id, Rev: rev, Render: func() []byte { return nil }})
}

func nodeID(server string, linked bool) string {
	if linked {
		return "node-" + server
	}
	return "alone-" + server
}
