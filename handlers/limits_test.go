package handlers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"tend/handlers/api"
)

// pipes is a listener whose connections have no buffer and whose deadlines
// follow the false time of a test.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// send makes a connection and sends a text, without waiting for an answer.
func (p *pipes) send(t *testing.T, text string) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	p.conns <- far
	if _, err := io.WriteString(near, text); err != nil {
		t.Fatal(err)
	}
	return near
}

func answerOf(t *testing.T, conn net.Conn) (int, string) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// underLimits runs a handler without services, in a false time.
func underLimits(t *testing.T, run func(h *handler, p *pipes, serve func(api.Handler))) {
	synctest.Test(t, func(t *testing.T) {
		h := &handler{Deps: Deps{Log: slog.New(slog.DiscardHandler)}, limits: newLimits()}
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		var server *http.Server
		var all sync.WaitGroup
		run(h, p, func(handle api.Handler) {
			server = &http.Server{Handler: h.guarded(h.show(handle))}
			all.Go(func() { server.Serve(p) }) //nolint:errcheck // ends with the listener
		})
		close(p.done)
		server.Close()
		all.Wait()
	})
}

const (
	ask  = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\n"
)

func TestClientsThatDoNotReadTheirAnswersKeepNobodyFromTheirs(t *testing.T) {
	underLimits(t, func(h *handler, p *pipes, serve func(api.Handler)) {
		serve(h.limits.queued(func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write(make([]byte, 1<<20))
			return err
		}))
		var slow []net.Conn
		for range 4 * cap(h.limits.work) {
			slow = append(slow, p.send(t, ask))
		}
		conn := p.send(t, ask)
		if status, text := answerOf(t, conn); status != 200 || len(text) != 1<<20 {
			t.Errorf("%d, %d bytes", status, len(text))
		}
		conn.Close()
		// Those that never read are cut; one that reads a little at a time is not.
		moves := slow[0]
		for range 10 {
			time.Sleep(stall - time.Second)
			if _, err := io.ReadFull(moves, make([]byte, 2*writePiece)); err != nil {
				t.Errorf("a slow client was cut: %v", err)
			}
		}
		if _, err := io.Copy(io.Discard, slow[1]); err != nil {
			t.Error(err)
		}
		moves.Close()
	})
}

// making counts the answers that are made at once.
type making struct {
	mu        sync.Mutex
	now, most int
}

// one makes an answer, which takes a second.
func (m *making) one() {
	m.mu.Lock()
	m.now++
	m.most = max(m.most, m.now)
	m.mu.Unlock()
	time.Sleep(time.Second)
	m.mu.Lock()
	m.now--
	m.mu.Unlock()
}

func TestAPageIsMadeInItsPlaceAndSentWithoutOne(t *testing.T) {
	underLimits(t, func(h *handler, p *pipes, serve func(api.Handler)) {
		var m making
		serve(h.limits.queued(func(w http.ResponseWriter, r *http.Request) error {
			return h.render(w, r, http.StatusOK, templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
				io.WriteString(w, "<head>")
				w.(http.Flusher).Flush()
				if _, err := io.WriteString(w, "<body>"); err != nil {
					return err
				}
				m.one()
				_, err := w.Write(make([]byte, 1<<20))
				return err
			}))
		}))
		for range 4 * cap(h.limits.work) { // which do not read even the head
			defer p.send(t, ask).Close()
		}
		var readers sync.WaitGroup
		for range 3 * cap(h.limits.work) {
			conn := p.send(t, strings.Replace(ask, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
			readers.Go(func() {
				defer conn.Close()
				if text, err := io.ReadAll(conn); err != nil || len(text) < 1<<20 {
					t.Errorf("%d bytes, %v", len(text), err)
				}
			})
		}
		readers.Wait()
		if m.most != cap(h.limits.work) {
			t.Errorf("%d were made at once, of %d places", m.most, cap(h.limits.work))
		}
	})
}

func TestAnAnswerThatIsMadeHasAPlaceInLine(t *testing.T) {
	underLimits(t, func(h *handler, p *pipes, serve func(api.Handler)) {
		var m making
		serve(h.limits.queued(func(w http.ResponseWriter, _ *http.Request) error {
			m.one()
			w.WriteHeader(http.StatusNoContent)
			return nil
		}))
		conns := make([]net.Conn, 3*cap(h.limits.work))
		for i := range conns {
			conns[i] = p.send(t, ask)
		}
		conns[len(conns)-1].Close() // who does not wait any more leaves the line
		for _, conn := range conns[:len(conns)-1] {
			if status, _ := answerOf(t, conn); status != 204 {
				t.Errorf("status %d", status)
			}
			conn.Close()
		}
		if m.most != cap(h.limits.work) {
			t.Errorf("%d were made at once, of %d", m.most, cap(h.limits.work))
		}
	})
}

func TestABodyThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	underLimits(t, func(_ *handler, p *pipes, serve func(api.Handler)) {
		serve(func(w http.ResponseWriter, r *http.Request) error {
			if err := r.ParseForm(); err != nil {
				return err
			}
			_, err := io.WriteString(w, r.PostForm.Get("a"))
			return err
		})
		began := time.Now()
		conn := p.send(t, post+"a=1")
		if status, text := answerOf(t, conn); status != 400 || !strings.Contains(text, "did not come within") || time.Since(began) > bodyTime {
			t.Errorf("%d %s after %v", status, text, time.Since(began))
		}
		conn.Close()
		conn = p.send(t, post+"a=1")
		time.Sleep(bodyTime / 2)
		io.WriteString(conn, "2345")
		if status, text := answerOf(t, conn); status != 200 || text != "12345" {
			t.Errorf("%d %s", status, text)
		}
		// The deadline of the body is not that of what follows.
		time.Sleep(2 * bodyTime)
		io.WriteString(conn, post+"a=67890")
		if status, text := answerOf(t, conn); status != 200 || text != "67890" {
			t.Errorf("%d %s", status, text)
		}
		conn.Close()
	})
}

func TestAnAnswerAfterALongPauseOnAConnectionIsWritten(t *testing.T) {
	underLimits(t, func(_ *handler, p *pipes, serve func(api.Handler)) {
		serve(func(w http.ResponseWriter, r *http.Request) error {
			if r.Method == http.MethodPost {
				time.Sleep(3 * stall)
				w.WriteHeader(http.StatusNoContent)
				return nil
			}
			_, err := io.WriteString(w, "first")
			return err
		})
		conn := p.send(t, ask)
		answerOf(t, conn)
		time.Sleep(2 * stall)
		io.WriteString(conn, post+"a=67890")
		if status, _ := answerOf(t, conn); status != 204 {
			t.Errorf("status %d", status)
		}
		conn.Close()
	})
}

func TestStreamsAreBoundedForEachClientAndForAllButNotAtTheSocket(t *testing.T) {
	l := newLimits()
	begun, end := make(chan struct{}), make(chan struct{})
	handle := l.streamed(func(http.ResponseWriter, *http.Request) error {
		begun <- struct{}{}
		<-end
		return nil
	})
	var all sync.WaitGroup
	try := func(from string) error {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = from
		if from == "@" {
			r = r.WithContext(context.WithValue(r.Context(), keyPeer, peer{socket: true}))
		}
		failed := make(chan error, 1)
		all.Go(func() { failed <- handle(httptest.NewRecorder(), r) })
		select {
		case <-begun:
			return nil
		case err := <-failed:
			return err
		}
	}
	for i := range streamsOfClient {
		if err := try(fmt.Sprintf("192.0.2.1:%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := try("192.0.2.1:9"); err == nil || !strings.Contains(err.Error(), "close some") {
		t.Errorf("one more of a client: %v", err)
	}
	for i := range streamsOfAll - streamsOfClient {
		if err := try(fmt.Sprintf("192.0.2.%d:1", i+2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := try("198.51.100.1:1"); err == nil {
		t.Error("one more of all was let in")
	}
	if err := try("@"); err != nil {
		t.Errorf("at the unix socket: %v", err)
	}
	close(end)
	all.Wait()
	if l.all != 0 || len(l.streams) != 0 {
		t.Errorf("%d are left: %v", l.all, l.streams)
	}
}
