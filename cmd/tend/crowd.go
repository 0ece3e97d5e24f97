package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// How many connections are open at once: to the network, and to the unix
// socket, which a crowd at the network must not keep anybody from. Together
// they are a fraction of the descriptors that servers need.
const (
	networkCrowd = 512
	socketCrowd  = 256
)

// crowd bounds how many connections of a door are open. When one more comes,
// the one goes that has done nothing for the longest time: a client that has
// sent no request yet, or waits between two. When all are busy, the new one is
// closed at once.
//
// Connections are not wrapped, since others ask the kernel about them: the
// HTTP server tells by ConnState what becomes of each. Websockets, which it
// loses sight of, are counted by the hub.
type crowd struct {
	net.Listener
	most int

	mu     sync.Mutex // guards what follows
	guests map[net.Conn]guest
}

// guest is what is known of one connection.
type guest struct {
	busy  bool
	since time.Time // when that began
}

func newCrowd(door net.Listener, most int) *crowd {
	return &crowd{Listener: door, most: most, guests: map[net.Conn]guest{}}
}

// Accept implements net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		leaver, ok := c.admit(conn)
		if leaver != nil {
			leaver.Close() //nolint:errcheck // nobody to tell
		}
		if ok {
			return conn, nil
		}
		conn.Close() //nolint:errcheck // nobody to tell
	}
}

// admit lets a connection in, and says which one has to leave for it.
func (c *crowd) admit(conn net.Conn) (leaver net.Conn, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.guests) >= c.most {
		var longest time.Time
		for other, g := range c.guests {
			if !g.busy && (leaver == nil || g.since.Before(longest)) {
				leaver, longest = other, g.since
			}
		}
		if leaver == nil {
			return nil, false
		}
		delete(c.guests, leaver)
	}
	c.guests[conn] = guest{since: time.Now()}
	return leaver, true
}

// note takes what the HTTP server tells of a connection, of whatever door.
func (c *crowd) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ours := c.guests[conn]; !ours {
		return
	}
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(c.guests, conn)
	default:
		c.guests[conn] = guest{busy: state == http.StateActive, since: time.Now()}
	}
}

// bare returns the connection that the kernel knows.
func bare(conn net.Conn) net.Conn {
	for {
		wrapped, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return conn
		}
		conn = wrapped.NetConn()
	}
}

// httpsDoor answers those who speak plain HTTP to it.
type httpsDoor struct {
	net.Listener
	url string
}

// Accept implements net.Listener.
func (d httpsDoor) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &greeter{Conn: conn, url: d.url}, nil
}

// greeter is a connection that has to begin with a handshake. Only the
// goroutine that serves it reads.
type greeter struct {
	net.Conn
	url string
	met bool
}

// NetConn is for whoever asks the kernel about the connection.
func (g *greeter) NetConn() net.Conn { return g.Conn }

// Read implements net.Conn. To a first letter, as that of GET, which begins no
// handshake, it answers where to go.
func (g *greeter) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n == 0 || g.met {
		return n, err
	}
	g.met = true
	if p[0] < 'A' || p[0] > 'Z' {
		return n, err
	}
	text := fmt.Sprintf("This port speaks HTTPS: open %s\n", g.url)
	g.SetDeadline(time.Now().Add(2 * time.Second)) //nolint:errcheck // it is about to be closed
	fmt.Fprintf(g.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
	// What is unread when it is closed makes the kernel throw the answer away.
	io.Copy(io.Discard, io.LimitReader(g.Conn, 64<<10)) //nolint:errcheck // likewise
	return 0, io.EOF
}

// noteState tells the doors what becomes of a connection.
func (m *manager) noteState(conn net.Conn, state http.ConnState) {
	conn = bare(conn)
	for _, door := range m.doors {
		door.note(conn, state)
	}
}
