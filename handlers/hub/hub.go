// Package hub pushes fragments to browsers over websockets. It knows that a
// fragment belongs to a topic, has an id and a revision, and can be rendered;
// it knows neither servers nor HTML.
//
// Ownership. The Hub's mutex guards the topics; it is held for moments and
// never across rendering or I/O. A connection has two goroutines: the one of
// its request, which alone reads, and a writer, which alone writes. The first
// starts the second and waits for it; Run waits for the first.
//
// Order. A topic keeps the newest state of each of its fragments in the order
// of their last change, and a client is a position in that order. So there is
// no queue that could overflow: a client that was away or slow finds, behind
// its position, each fragment at most once and as it is now.
package hub

import (
	"container/list"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Fragment is a part of a page as it is now. To take it off the page for good,
// publish one whose rendering does that: older revisions do not bring it back.
type Fragment struct {
	Topic, ID string // ID is unique within the topic
	Rev       uint64 // only grows; what has a smaller one than what is retained is ignored

	// Render is called at most once, when the first client needs it, in the
	// goroutine of that client. Nil says that it could not be rendered.
	Render func() []byte
}

// Hub retains the newest fragments and hands them out. Use New.
type Hub struct {
	log      *slog.Logger
	upgrader websocket.Upgrader
	ending   chan struct{} // closed when everybody has to go
	endBy    time.Time     // written before ending is closed, read after
	first    uint64        // the position before the first fragment of this life

	mu      sync.Mutex // guards what follows
	last    uint64     // the position of the latest fragment
	topics  map[string]*topic
	clients map[*client]struct{}
	ended   bool
	present sync.WaitGroup // of clients; added to only while not ended
}

// topic is guarded by the Hub's mutex.
type topic struct {
	order   *list.List // of *entry, the latest change last
	byID    map[string]*list.Element
	readers int
	news    chan struct{} // closed by the next fragment; nil while nobody waits
}

// entry is one retained fragment. Only at, and what it is linked into, is
// guarded by the Hub's mutex; the rest does not change but for the rendering,
// which is made once.
type entry struct {
	topic, id string
	rev       uint64
	at        uint64

	once   sync.Once // guards what follows
	render func() []byte
	html   []byte
}

// New makes a hub without fragments.
func New(log *slog.Logger) *Hub {
	first := uint64(time.Now().UnixMilli()) << 10 // positions of different lives differ, and fit into a JavaScript number
	return &Hub{
		log: log, ending: make(chan struct{}), first: first, last: first,
		topics: make(map[string]*topic), clients: make(map[*client]struct{}),
		upgrader: websocket.Upgrader{
			ReadBufferSize: 512, WriteBufferSize: chunk, WriteBufferPool: new(sync.Pool),
			HandshakeTimeout: 5 * time.Second,
			CheckOrigin:      nil, // that is: where there is an Origin, it must be the Host that was asked for
			Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
				http.Error(w, "this address is for websockets of our own pages: "+reason.Error(), status)
			},
		},
	}
}

// Last returns the position of the latest fragment. A page that reads it
// before it gathers what it shows, and connects with it as the parameter
// since, gets everything that it does not show yet.
func (h *Hub) Last() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// Looking reports whether anybody looks at anything.
func (h *Hub) Looking() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients) > 0
}

// Publish retains the fragment and wakes whoever looks at its topic. It
// returns at once and renders nothing.
func (h *Hub) Publish(f Fragment) {
	e := &entry{topic: f.Topic, id: f.ID, rev: f.Rev, render: f.Render}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(f.Topic)
	if old := t.byID[f.ID]; old != nil {
		if old.Value.(*entry).rev > f.Rev {
			return
		}
		t.order.Remove(old)
	}
	h.last++
	e.at = h.last
	t.byID[f.ID] = t.order.PushBack(e)
	if t.news != nil {
		close(t.news)
		t.news = nil
	}
}

// rendered returns the fragment as it is sent. A panic of one rendering does
// not end the manager.
func (h *Hub) rendered(e *entry) []byte {
	e.once.Do(func() {
		defer func() {
			if what := recover(); what != nil {
				h.log.Error("a fragment could not be rendered", "topic", e.topic, "id", e.id, "panic", what)
			}
		}()
		render := e.render
		e.render = nil // with all that it holds
		e.html = render()
	})
	return e.html
}

// topic returns a topic, which is made where there is none. h.mu is held.
func (h *Hub) topic(name string) *topic {
	t := h.topics[name]
	if t == nil {
		t = &topic{order: list.New(), byID: make(map[string]*list.Element)}
		h.topics[name] = t
	}
	return t
}

// join adds a reader to a topic.
func (h *Hub) join(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topic(name).readers++
}

// leave takes a reader away. A topic that nobody ever published to is
// forgotten with its last reader, so that made-up names leave nothing behind.
func (h *Hub) leave(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(name)
	t.readers--
	if t.readers == 0 && t.order.Len() == 0 {
		delete(h.topics, name)
	}
}

// take returns the fragments that changed after a position, at most max and
// the longest unchanged first, and the position behind them. When there are
// none it returns a channel that is closed by the next one.
func (h *Hub) take(name string, after uint64, max int) (batch []*entry, position uint64, news <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topic(name)
	at := t.order.Back()
	for at != nil && at.Value.(*entry).at > after {
		at = at.Prev()
	}
	if at == nil {
		at = t.order.Front()
	} else {
		at = at.Next()
	}
	for ; at != nil && len(batch) < max; at = at.Next() {
		e := at.Value.(*entry)
		batch, after = append(batch, e), e.at
	}
	if len(batch) == 0 && t.news == nil {
		t.news = make(chan struct{})
	}
	return batch, after, t.news
}

// start returns where a client begins that has seen everything up to since. A
// position of another life says nothing: it gets all.
func (h *Hub) start(since uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if since < h.first || since > h.last {
		return 0
	}
	return since
}

// Run lives until ctx ends. Then it tells every client to come back later
// (1012), and waits until all are gone, two seconds at the most.
func (h *Hub) Run(ctx context.Context) error {
	<-ctx.Done()
	h.mu.Lock()
	h.ended, h.endBy = true, time.Now().Add(farewell)
	close(h.ending)
	for c := range h.clients {
		c.hurry()
	}
	h.mu.Unlock()
	h.present.Wait()
	return nil
}

// enter registers a client, or says that it is too late.
func (h *Hub) enter(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return false
	}
	h.present.Add(1)
	h.clients[c] = struct{}{}
	return true
}

func (h *Hub) exit(c *client) {
	h.mu.Lock()
	delete(h.clients, c)
	h.mu.Unlock()
	h.present.Done()
}
