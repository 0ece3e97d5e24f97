package handlers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"tend/handlers/api"
	"tend/services"
)

// What anybody at the network can take from the manager at once. Whoever is at
// the unix socket is this user or root, and is not counted: a crowd at the
// network must not keep the command line out.
const (
	streamsOfClient = 256 // pages and programs that are told what happens, from one address
	streamsOfAll    = 384 // below the connections that there may be, so that pages can be asked for
	searchesAtOnce  = 2   // each takes a core

	// stall is how long a piece of an answer may take. A client that takes less
	// than writePiece in that time is gone for all we know.
	stall      = time.Minute
	writePiece = 32 << 10
	// bodyTime is how long the body of a request, which is short, may take.
	bodyTime = 10 * time.Second
)

// limits counts what is taken. Use newLimits.
type limits struct {
	work   chan struct{} // a place for each answer that is being made
	search chan struct{}

	mu      sync.Mutex // guards what follows
	streams map[string]int
	all     int
}

// newLimits lets as many answers be made at once as keep the processors busy:
// with more, the units that look after servers would wait in line with them.
func newLimits() *limits {
	return &limits{
		work:    make(chan struct{}, max(4, 2*runtime.GOMAXPROCS(0))),
		search:  make(chan struct{}, searchesAtOnce),
		streams: map[string]int{},
	}
}

// queued gives an answer its place before it is made, and takes it back when
// the answer is ready: writing it, which the client can delay, needs none.
func (l *limits) queued(handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if onSocket(r) {
			return handle(w, r)
		}
		p := &place{of: l.work}
		if err := p.take(r.Context()); err != nil {
			return err
		}
		defer p.leave()
		if rec, ok := w.(*recorder); ok {
			rec.place = p
		}
		return handle(w, r)
	}
}

// place is that of an answer which is being made.
type place struct {
	of   chan struct{}
	held atomic.Bool
}

// take waits for it until ctx ends.
func (p *place) take(ctx context.Context) error {
	select {
	case p.of <- struct{}{}: // first: what is at once need not look whether somebody waits
	default:
		select {
		case p.of <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.held.Store(true)
	return nil
}

// leave gives it to the next, if it is held.
func (p *place) leave() {
	if p.held.CompareAndSwap(true, false) {
		<-p.of
	}
}

// streamed counts an answer that lasts.
func (l *limits) streamed(handle api.Handler) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if onSocket(r) {
			return handle(w, r)
		}
		client := address(r)
		if !l.enter(client) {
			w.Header().Set("Retry-After", "5")
			return services.Errorf(services.Unavailable, "too many pages and programs are following already: close some, or use the unix socket")
		}
		defer l.leave(client)
		return handle(w, r)
	}
}

func (l *limits) enter(client string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= streamsOfAll || l.streams[client] >= streamsOfClient {
		return false
	}
	l.all++
	l.streams[client]++
	return true
}

func (l *limits) leave(client string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.streams[client]--; l.streams[client] == 0 {
		delete(l.streams, client)
	}
}

// searching waits until a search may begin. Call done at its end.
func (l *limits) searching(ctx context.Context) (done func(), err error) {
	select {
	case l.search <- struct{}{}:
		return func() { <-l.search }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// arm gives the next write a time by which it has to have moved. The owner at
// the unix socket may take as long as it likes: a pager that waits is no
// attack.
func (w *recorder) arm() {
	if w.bounded {
		http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(stall)) //nolint:errcheck // a writer that knows no deadlines is a test's
	}
}

// disarm is for a stream of HTTP/2 that is silent: there the deadline would end
// it even though nothing is being written.
func (w *recorder) disarm() {
	if w.bounded && w.second {
		http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Time{}) //nolint:errcheck // likewise
	}
}

// timelyBody reads the body of a request, which has to be there soon.
func (h *handler) timelyBody(w http.ResponseWriter, r *http.Request) error {
	wire := http.NewResponseController(w)
	wire.SetReadDeadline(time.Now().Add(bodyTime)) //nolint:errcheck // a reader that knows no deadlines is a test's
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil { // else the server must not wait for the rest, either
		wire.SetReadDeadline(time.Time{}) //nolint:errcheck // likewise
	}
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return services.Errorf(services.Invalid, "the body is longer than %d kB", maxBody>>10)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return services.Errorf(services.Invalid, "the body did not come within %v", bodyTime)
	case err != nil:
		return services.Errorf(services.Invalid, "the body ended before its end")
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}
