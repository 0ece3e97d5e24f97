package hub

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// A silent peer is asked for a sign of life every pingEvery, and has until
// silence to give it: more than two pings, so that one may get lost. A write
// that moves nothing for stall has nobody at its other end, either: however
// slow a client is, it stays as long as it moves. farewell bounds the end.
const (
	pingEvery = 25 * time.Second
	silence   = 60 * time.Second
	stall     = 60 * time.Second
	farewell  = time.Second

	// pace is the least time between two messages to one client: what changes
	// faster than anybody can see is seen once.
	pace = 30 * time.Millisecond

	chunk    = 4 << 10 // of a message, written under one deadline
	batch    = 32      // fragments in one message
	incoming = 4 << 10 // bytes of an incoming message, which is ignored
)

// client is one connection.
type client struct {
	hub   *Hub
	conn  *websocket.Conn
	topic string
	after uint64          // only the writer changes it
	gone  chan struct{}   // closed when the reader has seen the end
	over  <-chan struct{} // closed when it may look no longer
}

// ServeHTTP is the websocket's endpoint, until the context of the request ends.
// The parameter topic says what is
// looked at, since (see Last) what has been seen of it.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	topic := query.Get("topic")
	since, err := strconv.ParseUint(query.Get("since"), 10, 64)
	if err != nil {
		since = 0
	}
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	defer conn.Close() //nolint:errcheck // nobody to tell
	c := &client{hub: h, conn: conn, topic: topic, after: h.start(since), gone: make(chan struct{}), over: r.Context().Done()}
	if !h.enter(c) {
		c.farewell()
		return
	}
	defer h.exit(c)
	defer context.AfterFunc(r.Context(), c.hurry)()
	h.join(topic)
	defer h.leave(topic)

	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	c.read()
	close(c.gone)
	conn.Close() //nolint:errcheck // a writer that is stuck gives up
	<-written
}

// read ignores whatever comes, until nothing does any more.
func (c *client) read() {
	c.conn.SetReadLimit(incoming)
	alive := func(string) error { return c.conn.SetReadDeadline(time.Now().Add(silence)) }
	c.conn.SetPongHandler(alive)
	for alive("") == nil {
		_, message, err := c.conn.NextReader()
		if err == nil {
			_, err = io.Copy(io.Discard, message) // which fails for one that is too long
		}
		if err != nil {
			return
		}
	}
}

// write sends what changes, until the reader has seen the end or the hub ends.
func (c *client) write() {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	rest := time.NewTimer(0)
	defer rest.Stop()
	for ready := false; ; {
		var news <-chan struct{}
		if ready {
			var entries []*entry
			entries, c.after, news = c.hub.take(c.topic, c.after, batch)
			if len(entries) > 0 {
				if c.send(entries) != nil {
					c.hangUp()
					return
				}
				ready = false
				rest.Reset(pace)
				continue
			}
		}
		select {
		case <-news:
		case <-rest.C:
			ready = true
		case <-ping.C:
			if c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(farewell)) != nil {
				c.hangUp()
				return
			}
		case <-c.gone:
			return
		case <-c.over:
			c.farewell()
			select {
			case <-c.gone:
			case <-time.After(farewell):
			}
			c.hangUp()
			return
		case <-c.hub.ending:
			c.farewell()
			return
		}
	}
}

// send writes one message with all of the fragments.
func (c *client) send(entries []*entry) error {
	out, err := c.conn.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	for _, e := range entries {
		for html := c.hub.rendered(e); len(html) > 0; {
			n := min(len(html), chunk)
			c.conn.SetWriteDeadline(c.deadline()) //nolint:errcheck // it only remembers the time
			if _, err := out.Write(html[:n]); err != nil {
				return err
			}
			html = html[n:]
		}
	}
	c.conn.SetWriteDeadline(c.deadline()) //nolint:errcheck // it only remembers the time
	return out.Close()
}

func (c *client) deadline() time.Time {
	select {
	case <-c.hub.ending:
		return c.hub.endBy
	case <-c.over:
		return time.Now().Add(farewell)
	default:
		return time.Now().Add(stall)
	}
}

// farewell says that the manager restarts, or that the peer has to come in
// anew, and gives it a moment to say goodbye as well. It tries to come back, and
// is told then what to do.
func (c *client) farewell() {
	text := websocket.FormatCloseMessage(websocket.CloseServiceRestart, "connect again")
	c.conn.WriteControl(websocket.CloseMessage, text, time.Now().Add(farewell)) //nolint:errcheck // the peer may have gone
	c.conn.NetConn().SetReadDeadline(time.Now().Add(farewell))                  //nolint:errcheck // the peer may have gone
}

// hangUp makes the reader return.
func (c *client) hangUp() { c.conn.Close() } //nolint:errcheck // nobody to tell

// hurry cuts a write that is stuck. Any goroutine may call it.
func (c *client) hurry() {
	c.conn.NetConn().SetWriteDeadline(time.Now().Add(farewell)) //nolint:errcheck // the peer may have gone
}
