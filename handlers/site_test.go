package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"tend/handlers/hub"
	"tend/services"
	"tend/services/access"
	"tend/services/controltest"
	"tend/services/logs"
)

// site is the web application as it is served, on a Fake, with real logs.
type site struct {
	*controltest.Fake
	t       *testing.T
	URL     string
	address string
	logs    *logs.Store
	deaf    bool // no websocket
	as      access.Subject
	access  *access.Access // nil for none
	front   func(http.Handler) http.Handler
	closed  func()
}

func newSite(t *testing.T, change ...func(*site)) *site {
	t.Helper()
	s := &site{Fake: controltest.NewFake(controltest.Servers()...), t: t, as: boss, address: "127.0.0.1:0", front: func(h http.Handler) http.Handler { return h }}
	for _, f := range change {
		f(s)
	}
	store, err := logs.Open(logs.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s.logs = store
	s.inBackground("logs", store.Run)
	s.open()
	t.Cleanup(s.close)
	return s
}

// inBackground runs a service until the test ends.
func (s *site) inBackground(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			s.t.Errorf("%s: %v", name, err)
		}
	})
}

// open serves, on the address that was served before, if there was one.
func (s *site) open() {
	s.t.Helper()
	door, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = door.Addr().String()
	s.URL = "http://" + s.address
	log := slog.New(slog.DiscardHandler)
	h := hub.New(log)
	push := NewPusher(s.Fake, h, s.URL, NewRecent(), log)
	ending := make(chan struct{})
	deps := Deps{
		Control: s.Fake, Logs: s.logs, Access: s.access, Hub: h, Log: log, Ending: ending, Info: Info{Version: "1.2.3", PID: 7, Config: "/etc/tend.yaml", URL: s.URL},
		Shutdown: func(context.Context, bool) error { return nil },
	}
	if s.deaf {
		deps.Hub = nil
	}
	server := &http.Server{Handler: s.front(New(deps)), BaseContext: as(s.as)}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { h.Run(ctx) })         //nolint:errcheck // never fails
	all.Go(func() { push.Run(ctx) })      //nolint:errcheck // never fails
	all.Go(func() { server.Serve(door) }) //nolint:errcheck // ends with the server
	s.closed = sync.OnceFunc(func() {
		close(ending)
		cancel()
		bounded, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		server.Shutdown(bounded) //nolint:errcheck // what is left is cut
		server.Close()
		all.Wait()
	})
}

func (s *site) close() { s.closed() }

// status returns the status of a server.
func (s *site) status(name string) services.Status {
	s.t.Helper()
	status, err := s.Get(context.Background(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return status
}

// change sets the status of a server.
func (s *site) change(name string, change func(*services.Status)) {
	s.t.Helper()
	status := s.status(name)
	change(&status)
	s.Set(services.EventChanged, status)
}

// start starts a server.
func (s *site) start(names ...string) {
	s.t.Helper()
	if _, err := s.Do(context.Background(), services.Order{Action: services.Start, Servers: names}); err != nil {
		s.t.Fatal(err)
	}
}

// output opens the log of a server for writing.
func (s *site) output(name string) *os.File {
	s.t.Helper()
	file, err := s.logs.Begin(name, services.LogPolicy{MaxSize: 64 << 20})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { file.Close() })
	return file
}

func (s *site) write(file *os.File, text string) {
	s.t.Helper()
	if _, err := file.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}
