package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is a fragment that is a text.
func text(topic, id string, rev uint64, html string) Fragment {
	return Fragment{Topic: topic, ID: id, Rev: rev, Render: func() []byte { return []byte(html + ";") }}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// house is a hub that is served.
type house struct {
	*Hub
	t      *testing.T
	server *httptest.Server
	end    func() // ends the hub and waits
}

func open(t *testing.T) *house {
	h := &house{Hub: New(quiet()), t: t}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	h.end = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	h.server = httptest.NewServer(h.Hub)
	t.Cleanup(func() {
		h.end()
		h.server.Close()
	})
	return h
}

func (h *house) dial(query string) *websocket.Conn {
	h.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.server.URL, "http")+"/?"+query, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	return conn
}

// until reads until everything wanted has come, and returns it all.
func until(t *testing.T, conn *websocket.Conn, want string) string {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(60 * time.Second))
	var got strings.Builder
	for {
		_, message, err := conn.ReadMessage()
		if err != nil {
			t.Errorf("after %.200q: %v", got.String(), err)
			return got.String()
		}
		got.Write(message)
		if strings.Contains(string(message), want) {
			return got.String()
		}
	}
}

func TestANewBrowserGetsTheNewestOfEachFragmentAndThenWhatComes(t *testing.T) {
	h := open(t)
	h.Publish(text("all", "a", 1, "a1"))
	h.Publish(text("all", "b", 1, "b1"))
	h.Publish(text("all", "a", 2, "a2"))
	h.Publish(text("other", "a", 9, "no"))
	conn := h.dial("topic=all")
	if got := until(t, conn, "a2;"); got != "b1;a2;" {
		t.Errorf("it first got %q", got)
	}
	h.Publish(text("all", "b", 2, "b2"))
	if got := until(t, conn, "b2;"); got != "b2;" {
		t.Errorf("then it got %q", got)
	}
}

func TestABrowserThatNamesAPositionGetsOnlyWhatCameAfterIt(t *testing.T) {
	h := open(t)
	h.Publish(text("all", "a", 1, "a1"))
	since := h.Last()
	h.Publish(text("all", "b", 1, "b1"))
	if got := until(t, h.dial(fmt.Sprint("topic=all&since=", since)), "b1;"); got != "b1;" {
		t.Errorf("it got %q", got)
	}
	for _, since := range []string{"0", "1", "99999999999999999", "rubbish", "-1", ""} {
		if got := until(t, h.dial("topic=all&since="+since), "b1;"); got != "a1;b1;" {
			t.Errorf("with the position %q of another life it got %q", since, got)
		}
	}
}

func TestAnOlderRevisionNeverOverwritesANewerOne(t *testing.T) {
	h := open(t)
	h.Publish(text("all", "a", 5, "new"))
	h.Publish(text("all", "a", 4, "old"))
	h.Publish(text("all", "z", 1, "end"))
	if got := until(t, h.dial("topic=all"), "end;"); got != "new;end;" {
		t.Errorf("it got %q", got)
	}
	h.Publish(text("all", "a", 6, "gone")) // a tombstone
	h.Publish(text("all", "a", 5, "back"))
	h.Publish(text("all", "y", 1, "end2"))
	if got := until(t, h.dial("topic=all"), "end2;"); got != "end;gone;end2;" {
		t.Errorf("behind a tombstone it got %q", got)
	}
}

func TestNothingIsRenderedWhileNobodyLooksAndThenOnceForAll(t *testing.T) {
	h := open(t)
	var rendered atomic.Int32
	publish := func(rev uint64) {
		h.Publish(Fragment{Topic: "all", ID: "a", Rev: rev, Render: func() []byte {
			rendered.Add(1)
			return fmt.Appendf(nil, "a%d;", rev)
		}})
	}
	for rev := range uint64(1000) {
		publish(rev)
	}
	if n := rendered.Load(); n != 0 {
		t.Fatalf("%d were rendered for nobody", n)
	}
	for range 20 {
		until(t, h.dial("topic=all"), "a999;")
	}
	if n := rendered.Load(); n != 1 {
		t.Errorf("20 browsers cost %d renderings", n)
	}
}

func TestARenderingThatPanicsOrFailsIsLeftOut(t *testing.T) {
	h := open(t)
	h.Publish(Fragment{Topic: "all", ID: "a", Render: func() []byte { panic("a mistake in a template") }})
	h.Publish(Fragment{Topic: "all", ID: "b", Render: func() []byte { return nil }})
	h.Publish(text("all", "c", 1, "c"))
	if got := until(t, h.dial("topic=all"), "c;"); got != "c;" {
		t.Errorf("it got %q", got)
	}
}

func TestTheEndIsToldWith1012AndNobodyIsWaitedForLong(t *testing.T) {
	h := open(t)
	polite := h.dial("topic=all")
	h.dial("topic=big")                                         // never reads
	h.Publish(text("big", "a", 1, strings.Repeat("x", 64<<20))) // more than any buffer holds
	codes := make(chan int, 1)
	go func() {
		polite.SetReadDeadline(time.Now().Add(60 * time.Second))
		_, _, err := polite.ReadMessage()
		var closed *websocket.CloseError
		if !errors.As(err, &closed) {
			t.Errorf("the connection ended with %v", err)
			codes <- 0
			return
		}
		codes <- closed.Code
	}()
	began := time.Now()
	h.end()
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the end took %v", took)
	}
	if code := <-codes; code != websocket.CloseServiceRestart {
		t.Errorf("the code is %d, want 1012", code)
	}
	res, err := http.Get(h.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("a request without a topic is answered by %d", res.StatusCode)
	}
}

func TestForeignPagesAreRefusedAndMessagesAreIgnored(t *testing.T) {
	h := open(t)
	url := "ws" + strings.TrimPrefix(h.server.URL, "http") + "/?topic=all"
	for _, origin := range []string{"http://evil.example", "null", "http://127.0.0.1:1"} {
		conn, res, err := websocket.DefaultDialer.Dial(url, http.Header{"Origin": {origin}})
		if err == nil {
			conn.Close()
			t.Errorf("the origin %q was let in", origin)
		} else if res == nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("the origin %q got %v", origin, res)
		}
	}
	conn, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Origin": {h.server.URL}})
	if err != nil {
		t.Fatalf("our own origin: %v", err)
	}
	defer conn.Close()
	for _, message := range []string{"", "{}", `{"action":"stop"}`, "\xff\x00", strings.Repeat("x", incoming)} {
		if err := conn.WriteMessage(websocket.BinaryMessage, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	h.Publish(text("all", "a", 1, "a1"))
	until(t, conn, "a1;")
	conn.WriteMessage(websocket.TextMessage, make([]byte, incoming+1)) //nolint:errcheck // it is about to be closed
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Errorf("a message that is too long ends with %v", err)
	}
}

func TestMadeUpTopicsLeaveNothingBehind(t *testing.T) {
	h := open(t)
	for i := range 50 {
		conn := h.dial(fmt.Sprint("topic=made-up-", i))
		conn.Close()
	}
	h.Publish(text("all", "a", 1, "a"))
	h.end()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.topics) != 1 || len(h.clients) != 0 {
		t.Errorf("%d topics and %d clients are left", len(h.topics), len(h.clients))
	}
}

// wire is a listener whose connections are pipes, which hold nothing back, in
// time that is false.
type wire struct {
	*Hub
	t     *testing.T
	conns chan net.Conn
	done  chan struct{}
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}
func (w *wire) Close() error   { return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// overPipes tests a hub that is served over pipes.
func overPipes(t *testing.T, test func(*wire)) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{Hub: New(quiet()), t: t, conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		server := &http.Server{Handler: w.Hub}
		var all sync.WaitGroup
		all.Go(func() { w.Run(ctx) })      //nolint:errcheck // never fails
		all.Go(func() { server.Serve(w) }) //nolint:errcheck // ends with the listener
		test(w)
		cancel()
		close(w.done)
		server.Close()
		all.Wait()
	})
}

func (w *wire) dial() *websocket.Conn {
	w.t.Helper()
	dialer := websocket.Dialer{NetDialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		w.conns <- far
		return near, nil
	}}
	conn, _, err := dialer.Dial("ws://127.0.0.1/?topic=all", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

func TestTwoHundredBrowsersOneOfThemStalledAllGetTheNewest(t *testing.T) {
	overPipes(t, func(w *wire) {
		stalled := w.dial() // reads nothing until the end
		const last = 100
		end := fmt.Sprintf("a%d;", last)
		var readers sync.WaitGroup
		for range 200 {
			conn := w.dial()
			readers.Go(func() { until(t, conn, end) })
		}
		for rev := uint64(1); rev <= last; rev++ {
			w.Publish(text("all", "a", rev, fmt.Sprint("a", rev)))
			if rev%50 == 0 {
				w.Publish(text("all", fmt.Sprint("other", rev), rev, "other"))
			}
			time.Sleep(pace)
		}
		readers.Wait()
		// The stalled one is still connected. It skips what is out of date, and
		// sees the newest.
		if got := until(t, stalled, end); got != "a1;other;a100;other;" {
			t.Errorf("a slow browser got %q", got)
		}
	})
}

func TestAPeerThatAnswersStaysAndASilentOneGoes(t *testing.T) {
	overPipes(t, func(w *wire) {
		count := func() int {
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.clients)
		}
		read := func(conn *websocket.Conn) {
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}
		alive, silent := w.dial(), w.dial()
		silent.SetPingHandler(func(string) error { return nil })
		go read(alive) // answers pings
		go read(silent)
		if n := count(); n != 2 {
			t.Fatalf("%d clients", n)
		}
		time.Sleep(silence - time.Second)
		if n := count(); n != 2 {
			t.Errorf("%d clients are left before the silence is over", n)
		}
		time.Sleep(2 * time.Second)
		if n := count(); n != 1 {
			t.Errorf("%d clients are left after the silence", n)
		}
		time.Sleep(time.Hour)
		if n := count(); n != 1 {
			t.Errorf("%d clients are left after an hour", n)
		}
	})
}

func TestWhoMayLookNoLongerIsToldToConnectAgainAndGetsNoMore(t *testing.T) {
	h := open(t)
	ctx, revoke := context.WithCancel(t.Context())
	defer revoke()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) }))
	defer server.Close()
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/?topic=all", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	h.Publish(text("all", "a", 1, "a1"))
	until(t, conn, "a1;")
	revoke()
	var closed *websocket.CloseError
	if _, message, err := conn.ReadMessage(); !errors.As(err, &closed) || closed.Code != websocket.CloseServiceRestart {
		t.Errorf("read %q, %v", message, err)
	}
}
