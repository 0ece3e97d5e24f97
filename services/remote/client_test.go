package remote_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"tend/handlers"
	"tend/services"
	"tend/services/controltest"
	"tend/services/logs"
	"tend/services/remote"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// manager is the web application of a Fake on a unix socket.
type manager struct {
	*controltest.Fake
	socket string
	client *remote.Client
	end    func() // as if it were killed; more than once does nothing
	kept   chan bool
	begun  chan struct{} // something of a stream is on its way: first its head
	log    tape
	breaks atomic.Int32 // so many streams of events break as soon as they have begun
}

// serve begins a manager in whose life some events have happened before anybody
// can reach it.
func serve(t *testing.T, socket string, before ...services.Event) *manager {
	t.Helper()
	m := &manager{Fake: controltest.NewFake(controltest.Servers()...), socket: socket, kept: make(chan bool, 1), begun: make(chan struct{}, 9)}
	for _, e := range before {
		m.Publish(e)
	}
	l, err := remote.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ConnContext: handlers.ConnContext(nil), Handler: m.breaking(handlers.New(handlers.Deps{
		Control: m.Fake, Logs: &m.log, Position: m.Last, Log: slog.New(slog.DiscardHandler), Info: handlers.Info{Version: "1", PID: 7, URL: "http://127.0.0.1:1"},
		Shutdown: func(_ context.Context, keep bool) error {
			m.kept <- keep
			return nil
		},
	}))}
	var serving sync.WaitGroup
	serving.Go(func() { srv.Serve(l) })
	m.client = remote.New(socket)
	m.end = sync.OnceFunc(func() {
		srv.Close()
		serving.Wait()
		m.client.Close()
	})
	t.Cleanup(m.end)
	return m
}

func (m *manager) breaking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/events" && m.breaks.Add(-1) >= 0 {
			w.WriteHeader(http.StatusOK)
			return
		}
		if r.URL.Path == "/api/events" || strings.HasSuffix(r.URL.Path, "/logs") {
			w = teller{w, m.begun}
		}
		next.ServeHTTP(w, r)
	})
}

// teller says when what was written is on its way.
type teller struct {
	http.ResponseWriter
	flushed chan<- struct{}
}

func (t teller) Flush() {
	t.ResponseWriter.(http.Flusher).Flush()
	select {
	case t.flushed <- struct{}{}:
	default:
	}
}

// tape is a log of lines of two bytes; a follower waits at its end.
type tape struct {
	mu    sync.Mutex // guards what follows
	lines []string
	asked []logs.Query
}

func (l *tape) hold(lines ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = lines
}

func (l *tape) Read(ctx context.Context, _ string, q logs.Query) iter.Seq2[logs.Line, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, q)
	lines, from := l.lines, int(q.After.Off/2)
	return func(yield func(logs.Line, error) bool) {
		if q.Tail >= 0 {
			from = max(from, len(lines)-q.Tail)
		}
		if at := (logs.Address{Gen: 1, Off: int64(2 * from)}); q.Place && !yield(logs.Line{Address: at, Next: at, Partial: true}, nil) {
			return
		}
		for i := from; i < len(lines); i++ {
			at, next := logs.Address{Gen: 1, Off: int64(2 * i)}, logs.Address{Gen: 1, Off: int64(2*i + 2)}
			if !yield(logs.Line{Address: at, Next: next, Text: []byte(lines[i])}, nil) {
				return
			}
		}
		if q.Follow {
			<-ctx.Done()
		}
	}
}

func socketIn(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tend-remote-") // t.TempDir may be too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "tend.sock")
}

func TestAClientKeepsTheContractOfControl(t *testing.T) {
	controltest.Run(t, func(t *testing.T) services.Control { return serve(t, socketIn(t)).client })
}

func TestEveryKindOfErrorSurvivesTheWire(t *testing.T) {
	m := serve(t, socketIn(t))
	for _, kind := range services.Kinds {
		m.Refuse(services.Errorf(kind, "because of <%s> & \"quotes\"", kind))
		_, err := m.client.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"web"}})
		var known *services.Error
		if !errors.As(err, &known) || known.Kind != kind {
			t.Errorf("%s arrives as %v of kind %q", kind, err, services.KindOf(err))
			continue
		}
		shown := known.Msg == "because of <"+string(kind)+"> & \"quotes\""
		if shown == (kind == services.Internal) {
			t.Errorf("%s arrives with %q", kind, known.Msg)
		}
	}
	m.Refuse(errors.New("a secret"))
	if _, err := m.client.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"web"}}); services.KindOf(err) != services.Internal || strings.Contains(err.Error(), "secret") {
		t.Errorf("an unclassified error arrives as %v", err)
	}
}

func TestWithoutAManagerACallSaysHowToStartOne(t *testing.T) {
	socket := socketIn(t)
	ended := serve(t, socket)
	ended.end()
	left, err := net.Listen("unix", socket) // a socket that a killed manager left behind
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	left.Close()
	file := filepath.Join(filepath.Dir(socket), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{socket, socket + ".missing", file, filepath.Join(file, "below")} {
		c := remote.New(path)
		_, listErr := c.List(t.Context())
		_, doErr := c.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"web"}})
		var logErr error
		for _, logErr = range c.Lines(t.Context(), "web", nil) {
		}
		errs := []error{listErr, doErr, logErr, c.Shutdown(t.Context(), false)}
		for _, err := range c.Watch(t.Context(), services.Now) {
			errs = append(errs, err)
		}
		for i, err := range errs {
			var nobody *remote.NoManager
			if services.KindOf(err) != services.Unavailable || !errors.As(err, &nobody) || nobody.Socket != path || !strings.Contains(err.Error(), "tend serve") {
				t.Errorf("%s, call %d: %v", path, i, err)
			}
		}
		if len(errs) != 5 {
			t.Errorf("%s: watching yielded %d errors", path, len(errs)-4)
		}
	}
}

func TestAManagerThatDoesNotSpeakRESTIsAnInternalError(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a page":          func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<h1>teapot</h1>", http.StatusTeapot) },
		"an unknown kind": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"message":"x","kind":"odd"}`, 400) },
		"a redirect":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			socket := socketIn(t)
			l, err := remote.Listen(socket)
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: answer}
			var serving sync.WaitGroup
			serving.Go(func() { srv.Serve(l) })
			defer serving.Wait()
			defer srv.Close()
			c := remote.New(socket)
			defer c.Close()
			if _, err := c.List(t.Context()); services.KindOf(err) != services.Internal {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	m := serve(t, socketIn(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.client.List(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestShutdownTellsWhetherServersAreKept(t *testing.T) {
	m := serve(t, socketIn(t))
	alive, err := m.client.Attend(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	for _, keep := range []bool{true, false} {
		if err := m.client.Shutdown(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		if got := <-m.kept; got != keep {
			t.Errorf("keep is %v, want %v", got, keep)
		}
	}
	m.end()
	io.Copy(io.Discard, alive) // returns because the manager has ended
}

func TestInfoTellsAboutTheManager(t *testing.T) {
	m := serve(t, socketIn(t))
	info, err := m.client.Info(t.Context())
	if want := (remote.Info{Version: "1", PID: 7, URL: "http://127.0.0.1:1"}); err != nil || info != want {
		t.Errorf("got %+v, %v, want %+v", info, err, want)
	}
}

func TestLogsOfAnUnknownServerAreNotFound(t *testing.T) {
	m := serve(t, socketIn(t))
	for _, name := range []string{"nobody", "../events"} {
		for _, err := range m.client.Lines(t.Context(), name, url.Values{}) {
			if services.KindOf(err) != services.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Copy implements handlers.Logs.
func (*tape) Copy(context.Context, string, io.Writer) error { return nil }
